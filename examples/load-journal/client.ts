// A plain HTTP client of the Plinth API: JSON in, JSON out, problem documents as errors. Nothing else is known here.

export class ApiError extends Error {
  readonly status: number
  readonly code: string
  constructor(status: number, code: string, message: string) {
    super(`${status} ${code}: ${message}`)
    this.status = status
    this.code = code
  }
}

export type Call = <T>(method: string, path: string, body?: unknown) => Promise<T>

/** `headers` is read at each call, so that a token can be added after signing in. */
export function createClient(url: string, headers: Record<string, string>): Call {
  return async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const response = await fetch(new URL(path, url), {
      method,
      headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(30_000),
    })
    const text = await response.text()
    const answer = text === '' ? undefined : JSON.parse(text)
    if (!response.ok) {
      throw new ApiError(response.status, answer?.code ?? '?', answer?.detail ?? text.slice(0, 200))
    }
    return answer
  }
}
