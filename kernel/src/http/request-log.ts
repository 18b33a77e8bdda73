// The log of one request. Every line names its request and trace, so it is a child of the instance's log; but most requests
// write no line of their own, and the child, which costs as much as all else that is logged of them, is made by the first.
import type { FastifyBaseLogger } from 'fastify'

type Level = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace'
type Names = Readonly<Record<string, unknown>>

export class RequestLog implements FastifyBaseLogger {
  readonly #parent: FastifyBaseLogger
  readonly #names: Names
  /** Known a little later than the rest. */
  #traceId: string | undefined
  #made: FastifyBaseLogger | undefined

  constructor(parent: FastifyBaseLogger, names: Names) {
    this.#parent = parent
    this.#names = names
  }

  set traceId(id: string) {
    this.#traceId = id
    this.#made = undefined
  }

  get level(): FastifyBaseLogger['level'] {
    return this.#parent.level
  }

  fatal(...line: unknown[]): void {
    this.#write('fatal', line)
  }

  error(...line: unknown[]): void {
    this.#write('error', line)
  }

  warn(...line: unknown[]): void {
    this.#write('warn', line)
  }

  info(...line: unknown[]): void {
    this.#write('info', line)
  }

  debug(...line: unknown[]): void {
    this.#write('debug', line)
  }

  trace(...line: unknown[]): void {
    this.#write('trace', line)
  }

  silent(): void {}

  child(...how: Parameters<FastifyBaseLogger['child']>): FastifyBaseLogger {
    return this.#child().child(...how)
  }

  #write(level: Level, line: readonly unknown[]): void {
    const [first, message, ...rest] = line
    this.#child()[level](first, message as string | undefined, ...rest)
  }

  #child(): FastifyBaseLogger {
    this.#made ??= this.#parent.child({ ...this.#names, traceId: this.#traceId })
    return this.#made
  }
}
