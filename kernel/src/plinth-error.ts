// What an error of the kernel is: a stable code with a status, a log level and data. Which there are stands in errors.ts.

export type ErrorLevel = 'info' | 'warn' | 'error'

/** One field a client got wrong. `field` is a path such as `lines.2.debit.amount`. */
export interface FieldError {
  readonly field: string
  readonly code: string
  readonly message: string
}

/** An error with a stable code. Recognise it by `code` (see `isPlinthError`), never by `instanceof`. */
export class PlinthError extends Error {
  readonly code: string
  readonly status: number
  readonly level: ErrorLevel
  readonly data: Readonly<Record<string, unknown>>
  constructor(
    code: string,
    status: number,
    level: ErrorLevel,
    message: string,
    data: Readonly<Record<string, unknown>>,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'PlinthError'
    this.code = code
    this.status = status
    this.level = level
    this.data = data
  }
}

export const isPlinthError = (error: unknown): error is PlinthError =>
  error instanceof Error && error.name === 'PlinthError' && 'code' in error && 'status' in error

export interface ErrorDefinition<D> {
  readonly code: string
  readonly status: number
  (data: D, cause?: unknown): PlinthError
}

export function defineError<D extends Readonly<Record<string, unknown>>>(
  code: string,
  status: number,
  level: ErrorLevel,
  message: (data: D) => string,
): ErrorDefinition<D> {
  const make = (data: D, cause?: unknown) => new PlinthError(code, status, level, message(data), data, cause)
  return Object.assign(make, { code, status })
}
