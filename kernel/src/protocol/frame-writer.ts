// Frames on their way out. While several invocations are inside, what one turn of the event loop has to say goes out in
// one write: a write to a pipe wakes the process at its other end, which costs both of them more than the frame itself.
import type { Writable } from 'node:stream'
import { encodeFrame } from './codec.ts'

/** More than this is not kept until the end of the turn: whoever floods us is to wait for the pipe. */
const mostHeldBytes = 64 * 1024

export class FrameWriter {
  readonly #stream: Writable
  readonly #isShared: () => boolean
  #held: Buffer[] = []
  #heldBytes = 0
  #isDue = false

  /** `isShared`: others may have something to say in this turn. Waiting for the end of it costs a lone one 3 µs. */
  constructor(stream: Writable, isShared: () => boolean) {
    this.#stream = stream
    this.#isShared = isShared
  }

  send(message: object, body: string): void {
    const frame = encodeFrame(message, body)
    this.#held.push(frame)
    this.#heldBytes += frame.length
    if (this.#heldBytes > mostHeldBytes || !this.#isShared()) this.flush()
    else if (!this.#isDue) {
      this.#isDue = true
      setImmediate(this.#due)
    }
  }

  /** At once: for last words. */
  flush(): void {
    const frames = this.#held
    const [first] = frames
    if (!first) return
    this.#held = []
    this.#heldBytes = 0
    this.#stream.write(frames.length === 1 ? first : Buffer.concat(frames))
  }

  #due = (): void => {
    this.#isDue = false
    this.flush()
  }
}
