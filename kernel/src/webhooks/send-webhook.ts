// One attempt to tell an endpoint: what came of it, in words that its tenant may read. Why an address could not be reached
// is the operator's to know, as with plugins' fetches: it would tell what there is inside.
import { isPlinthError } from '../errors.ts'
import type { Fetcher } from '../outside/fetcher.ts'
import { isFetchLimit } from '../outside/read-answer.ts'

export interface Outcome {
  readonly delivered: boolean
  readonly durationMs: number
  readonly status?: number
  readonly error?: string
  /** How the body of the answer begins. */
  readonly response?: string
  /** The receiver says that he is gone for good. */
  readonly isGone: boolean
  /** How long the receiver asked to wait. */
  readonly retryAfterMs?: number
}

/** Of an answer: more is no acknowledgement. */
export const longestAnswer = 256 * 1024
const shownAnswer = 1_024
const statusGone = 410

/** Seconds, or a date (RFC 9110, section 10.2.3). */
function retryAfter(header: string | undefined): number | undefined {
  if (header === undefined) return undefined
  const ms = /^\d{1,9}$/.test(header.trim())
    ? Number(header) * 1_000
    : new Date(header).getTime() - Date.now()
  return Number.isFinite(ms) && ms > 0 ? ms : undefined
}

/** As text that PostgreSQL keeps and a terminal shows. */
const beginning = (body: Buffer): string =>
  body
    .subarray(0, shownAnswer)
    .toString()
    .replace(/[^\t\n\r\x20-\x7e\u00a0-\ud7ff\ue000-\ufffc]/g, '?')

function wordsOf(error: unknown): string {
  if (isFetchLimit(error)) return `The answer is longer than ${longestAnswer / 1_024} KB.`
  if (isPlinthError(error)) {
    if (error.code === 'FETCH_TIMEOUT') return 'No answer in time.'
    if (error.code === 'FETCH_REFUSED') return error.message
    return 'The receiver could not be reached: no address, no connection, or a certificate that is not good.'
  }
  throw error
}

export async function sendWebhook(
  fetcher: Pick<Fetcher, 'fetch'>,
  url: string,
  message: { readonly headers: readonly { name: string; value: string }[]; readonly body: Buffer },
  timeoutMs: number,
): Promise<Outcome> {
  const began = performance.now()
  const took = () => Math.round(performance.now() - began)
  try {
    const answer = await fetcher.fetch({
      url,
      method: 'POST',
      headers: message.headers,
      body: message.body,
      bodyOnlyFor: [],
      urlOnlyFor: [],
      // Another address is another endpoint: who wants it writes it down.
      follow: false,
      timeoutMs,
      answerBytes: longestAnswer,
      // A tenant names whom it tells; which addresses may be dialled is checked where they are.
      checkGrant: () => undefined,
    })
    const { status, headers, body } = answer
    const delivered = status >= 200 && status < 300
    const isRedirect = status >= 300 && status < 400
    const wait = retryAfter(headers['retry-after'])
    return {
      delivered,
      durationMs: took(),
      status,
      response: beginning(body),
      isGone: status === statusGone,
      ...(isRedirect ? { error: 'It answered with a redirect, and none is followed.' } : {}),
      ...(delivered || wait === undefined ? {} : { retryAfterMs: wait }),
    }
  } catch (error) {
    return { delivered: false, durationMs: took(), error: wordsOf(error), isGone: false }
  }
}
