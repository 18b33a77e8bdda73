// Frames: 4 bytes length of the rest, 4 bytes length of the header, header (JSON), body (text, passed on as it is, so
// that a payload is serialised once and parsed once however many processes it crosses). Not Node's `ipc` channel: a
// child that writes its internal messages there ends the parent process.

/** The other side said something no honest host says. It is killed, not answered. */
export class ProtocolViolation extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ProtocolViolation'
  }
}

export interface FrameLimits {
  readonly frameBytes: number
  readonly headerBytes: number
}

/** What a host may send: a result or an argument of the largest size, with room for its header. */
export const fromHost: FrameLimits = { frameBytes: 2 * 1024 * 1024, headerBytes: 64 * 1024 }
/** What the kernel may send: a bundle, or the answer to a query. */
export const fromKernel: FrameLimits = { frameBytes: 16 * 1024 * 1024, headerBytes: 256 * 1024 }

const prefixBytes = 8

export function encodeFrame(header: object, body: string): Buffer {
  const text = JSON.stringify(header)
  const headerBytes = Buffer.byteLength(text)
  const bodyBytes = Buffer.byteLength(body)
  const frame = Buffer.allocUnsafe(prefixBytes + headerBytes + bodyBytes)
  frame.writeUInt32BE(4 + headerBytes + bodyBytes, 0)
  frame.writeUInt32BE(headerBytes, 4)
  frame.write(text, prefixBytes, headerBytes, 'utf8')
  frame.write(body, prefixBytes + headerBytes, bodyBytes, 'utf8')
  return frame
}

type OnFrame = (header: string, body: Buffer) => void

/**
 * Cuts a byte stream into frames. Lengths are checked before anything is kept for them. A frame in several chunks is
 * copied once into a buffer of its announced size, so neither many small chunks nor a large frame cost more than it.
 */
export class FrameDecoder {
  readonly #limits: FrameLimits
  readonly #onFrame: OnFrame
  readonly #prefix = Buffer.alloc(4)
  #prefixFilled = 0
  #frame: Buffer | undefined
  #frameFilled = 0

  constructor(limits: FrameLimits, onFrame: OnFrame) {
    this.#limits = limits
    this.#onFrame = onFrame
  }

  /** @throws ProtocolViolation; the decoder is of no use afterwards. */
  push(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) {
      if (this.#frame) at = this.#continueFrame(this.#frame, chunk, at)
      else if (this.#prefixFilled === 0 && chunk.length - at >= 4) at = this.#startFrame(chunk, at)
      else at = this.#continuePrefix(chunk, at)
    }
  }

  #startFrame(chunk: Buffer, at: number): number {
    const size = this.#checkSize(chunk.readUInt32BE(at))
    const start = at + 4
    if (chunk.length - start >= size) {
      this.#deliver(chunk.subarray(start, start + size))
      return start + size
    }
    this.#frame = Buffer.allocUnsafeSlow(size)
    this.#frameFilled = 0
    return start
  }

  #continuePrefix(chunk: Buffer, at: number): number {
    const taken = chunk.copy(this.#prefix, this.#prefixFilled, at, at + 4 - this.#prefixFilled)
    this.#prefixFilled += taken
    if (this.#prefixFilled === 4) {
      this.#prefixFilled = 0
      this.#frame = Buffer.allocUnsafeSlow(this.#checkSize(this.#prefix.readUInt32BE(0)))
      this.#frameFilled = 0
    }
    return at + taken
  }

  #continueFrame(frame: Buffer, chunk: Buffer, at: number): number {
    const taken = chunk.copy(frame, this.#frameFilled, at)
    this.#frameFilled += taken
    if (this.#frameFilled === frame.length) {
      this.#frame = undefined
      this.#deliver(frame)
    }
    return at + taken
  }

  #checkSize(size: number): number {
    if (size < 4 || size > this.#limits.frameBytes) {
      throw new ProtocolViolation(`frame of ${size} bytes, ${this.#limits.frameBytes} allowed`)
    }
    return size
  }

  #deliver(frame: Buffer): void {
    const headerBytes = frame.readUInt32BE(0)
    if (headerBytes > frame.length - 4 || headerBytes > this.#limits.headerBytes) {
      throw new ProtocolViolation(`header of ${headerBytes} bytes in a frame of ${frame.length}`)
    }
    this.#onFrame(frame.toString('utf8', 4, 4 + headerBytes), frame.subarray(4 + headerBytes))
  }
}
