// Problem documents for what never reaches a Fastify instance: a request that Node's parser refuses, and one whose Host is
// no host. The connection is closed behind them.
import { randomUUID } from 'node:crypto'
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { errors, type PlinthError } from '../errors.ts'
import { securityHeaders } from './hygiene/security-headers.ts'
import { problemBody } from './problem.ts'

/** A client that does not take the answer must not keep the socket. */
const answerDeadlineMs = 2_000

/** What Node's parser said of it; whatever is not listed is malformed. */
const parserErrors: Readonly<Record<string, () => PlinthError>> = {
  HPE_HEADER_OVERFLOW: () => errors.headersTooLarge({}),
  HPE_CHUNK_EXTENSIONS_OVERFLOW: () => errors.headersTooLarge({}),
  ERR_HTTP_REQUEST_TIMEOUT: () => errors.requestTimeout({}),
}
const notHttp = () => errors.badRequest({ reason: 'The request is not well-formed HTTP/1.1.' })

function headAndBody(problem: PlinthError): { status: number; headers: string[]; body: string } {
  const requestId = randomUUID()
  const body = JSON.stringify(problemBody(problem, requestId))
  const headers = [
    ...['content-type', 'application/problem+json; charset=utf-8'],
    ...['content-length', String(Buffer.byteLength(body))],
    ...['connection', 'close'],
    ...['x-request-id', requestId],
    ...Object.entries(securityHeaders).flat(),
  ]
  return { status: problem.status, headers, body }
}

/** Of the `clientError` event. `answering` is the response under way on this socket, if there is one. */
export function answerClientError(
  error: NodeJS.ErrnoException,
  socket: Duplex,
  answering: ServerResponse | undefined,
): void {
  // Nobody is there, or he would take this for a part of another answer.
  if (!socket.writable || error.code === 'ECONNRESET' || answering?.headersSent) {
    socket.destroy()
    return
  }
  const { status, headers, body } = headAndBody((parserErrors[error.code ?? ''] ?? notHttp)())
  const lines = headers.flatMap((text, at) => (at % 2 === 0 ? [`${text}: ${headers[at + 1]}`] : []))
  const deadline = setTimeout(() => socket.destroy(), answerDeadlineMs)
  socket.once('close', () => clearTimeout(deadline))
  const answer = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, '', body].join('\r\n')
  socket.end(answer, () => socket.destroy())
}

/** A registered name, an IPv4 or a bracketed IPv6 address, and a port; empty is allowed. */
const hostForm = /^(?:[A-Za-z0-9._~!$&'()*+,;=%-]*|\[[0-9A-Fa-f:.]+\])(?::\d{0,5})?$/

/** Exactly one Host of the right form, as RFC 9112 asks of HTTP/1.1. */
export function hasGoodHost(request: IncomingMessage): boolean {
  const { host } = request.headers
  if (host === undefined) return request.httpVersion !== '1.1'
  if (!hostForm.test(host)) return false
  // Node keeps the first of several.
  let hosts = 0
  for (let at = 0; at < request.rawHeaders.length; at += 2) {
    const name = request.rawHeaders[at]
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts += 1
  }
  return hosts === 1
}

export function refuseHost(response: ServerResponse): void {
  const reason = 'Send one Host header with a host name and, if need be, a port.'
  const { status, headers, body } = headAndBody(errors.badRequest({ reason }))
  response.writeHead(status, headers).end(body)
}
