// What one statement may cost before its connection is cut: bytes, counted as they arrive on the socket, and time.
// node-postgres would keep an answer of any size in memory (600 MB asked for: 712 MB resident), and the server
// notices statement_timeout late inside big aggregates (1 s became 5 s).
import type { Readable } from 'node:stream'

export interface AnswerBounds {
  readonly bytes: number
  /** From when it is the statement's turn. */
  readonly ms: number
  /** What everything on the connection fails with when it was cut. */
  readonly exceeded: (what: 'bytes' | 'time', used: number, cap: number) => Error
}

/** What is behind it in the pipeline waits its turn: bytes and time are those of the first one not answered yet. */
export class AnswerMeter {
  readonly #cut: (why: Error) => void
  readonly #expected: AnswerBounds[] = []
  #bytes = 0
  #timer: NodeJS.Timeout | undefined

  constructor(socket: Readable, cut: (why: Error) => void) {
    this.#cut = cut
    // Before the protocol's parser sees it: what is too much is not put together first.
    socket.prependListener('data', (chunk: Buffer) => this.#arrived(chunk.byteLength))
  }

  /** A statement has been sent. Call what comes back when it was answered, in whatever way. */
  expect(bounds: AnswerBounds): () => void {
    // An object of its own: two statements with the same bounds are two.
    const one = { ...bounds }
    this.#expected.push(one)
    if (this.#expected.length === 1) this.#startFirst()
    return () => {
      const at = this.#expected.indexOf(one)
      if (at === -1) return
      this.#expected.splice(at, 1)
      if (at === 0) this.#startFirst()
    }
  }

  #startFirst(): void {
    this.#bytes = 0
    clearTimeout(this.#timer)
    const [first] = this.#expected
    if (!first || first.ms === Number.POSITIVE_INFINITY) return
    // After a pause of the whole process timers come first: an answer that has arrived meanwhile is read before the cut.
    this.#timer = setTimeout(() => setImmediate(() => this.#timeIsUp(first)), first.ms)
  }

  #timeIsUp(statement: AnswerBounds): void {
    if (this.#expected[0] === statement) this.#cut(statement.exceeded('time', statement.ms, statement.ms))
  }

  #arrived(bytes: number): void {
    this.#bytes += bytes
    const [first] = this.#expected
    if (!first || this.#bytes <= first.bytes) return
    this.#cut(first.exceeded('bytes', this.#bytes, first.bytes))
  }
}
