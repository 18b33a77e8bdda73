// DOMException as libraries look at it: an Error whose name says what went wrong, with the old numbers of the names
// that our own globals throw.

const codes: Readonly<Record<string, number>> = {
  InvalidCharacterError: 5,
  NotSupportedError: 9,
  InvalidStateError: 11,
  TypeMismatchError: 17,
  AbortError: 20,
  QuotaExceededError: 22,
  TimeoutError: 23,
  DataCloneError: 25,
}

export class DOMException extends Error {
  readonly code: number
  constructor(message = '', name = 'Error') {
    super(message)
    this.code = codes[name] ?? 0
    Object.defineProperty(this, 'name', { value: name, configurable: true })
  }
}
