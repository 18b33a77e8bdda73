// Capability: HTTPS to the hosts named under `needs.http`, and to no others.

import type { SecretUse } from './secrets.ts'

type Text = string | SecretUse

/** A body is one of `json`, `form`, `body` and `base64`, or none of them. */
export interface HttpRequest {
  /** `GET` when left out. */
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Names are sent in small letters. What frames the message (`host`, `content-length` ...) is not yours to set. */
  readonly headers?: Readonly<Record<string, Text>>
  /** Added to the query of the URL, encoded. */
  readonly query?: Readonly<Record<string, Text | number | boolean>>
  /** Sent as `application/json` unless `headers` says otherwise. Secrets may stand anywhere in it. */
  readonly json?: unknown
  /** Sent as `application/x-www-form-urlencoded`. */
  readonly form?: Readonly<Record<string, Text>>
  /** A text, sent in UTF-8 as `text/plain` unless `headers` says otherwise. */
  readonly body?: string
  /** Bytes, in base64. */
  readonly base64?: string
  /** How the answer's body comes: `text` (UTF-8) when left out. */
  readonly answer?: 'text' | 'base64'
  /** `follow` when left out: three redirects at most, each to a host of `needs.http`. */
  readonly redirect?: 'follow' | 'manual'
  /** 100 to 10000, the redirects included; 10000 when left out. */
  readonly timeoutMs?: number
}

export interface HttpResponse {
  readonly status: number
  /** Whether the status is 200 to 299. Others do not reject. */
  readonly ok: boolean
  /** By name in small letters. */
  readonly headers: Readonly<Record<string, string>>
  text(): Promise<string>
  json(): Promise<unknown>
  /** The body in base64; only with `answer: 'base64'`. */
  base64(): Promise<string>
}

export interface HttpCapability {
  readonly http: {
    /**
     * Rejects with `FETCH_FAILED` when the host cannot be reached, `FETCH_TIMEOUT` when it is too slow, and
     * `FETCH_REFUSED` for a request that may not be made. Fetch before you write: after the first write of the
     * request, and in a `validate` hook, a fetch is refused.
     *
     * ```ts
     * const rates = await ctx.http.fetch('https://api.bank.example/rates', { query: { day: ctx.today } })
     * ```
     */
    fetch(url: string, request?: HttpRequest): Promise<HttpResponse>
  }
}
