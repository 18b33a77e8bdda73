// TextEncoder and TextDecoder, for UTF-8 alone: the encoding of everything that enters or leaves a plugin as text.
import { charCodeAt, fromCharCode, isView, join, push, toLowerCase, trim } from '../primordials.ts'

const isHigh = (code: number) => code >= 0xd800 && code <= 0xdbff
const isLow = (code: number) => code >= 0xdc00 && code <= 0xdfff

/** The code point at `at`; half a pair is U+FFFD, as the standard has it. */
function pointAt(text: string, at: number): number {
  const code = charCodeAt(text, at)
  if (!isHigh(code) && !isLow(code)) return code
  const next = at + 1 < text.length ? charCodeAt(text, at + 1) : 0
  return isHigh(code) && isLow(next) ? 0x10000 + ((code - 0xd800) << 10) + (next - 0xdc00) : 0xfffd
}

const sizeOf = (point: number): number => (point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4)

function write(target: Uint8Array, at: number, point: number, size: number): void {
  if (size === 1) {
    target[at] = point
    return
  }
  for (let n = size - 1; n > 0; n -= 1) {
    target[at + n] = 0x80 | ((point >> (6 * (size - 1 - n))) & 63)
  }
  target[at] = ((0xf00 >> size) & 0xff) | (point >> (6 * (size - 1)))
}

export class TextEncoder {
  get encoding(): string {
    return 'utf-8'
  }

  encode(input: unknown = ''): Uint8Array {
    const text = String(input)
    let bytes = 0
    for (let at = 0; at < text.length; at += 1) {
      const point = pointAt(text, at)
      bytes += sizeOf(point)
      if (point > 0xffff) at += 1
    }
    const target = new Uint8Array(bytes)
    this.encodeInto(text, target)
    return target
  }

  encodeInto(input: unknown, target: Uint8Array): { read: number; written: number } {
    if (!(target instanceof Uint8Array)) throw new TypeError('encodeInto takes a Uint8Array.')
    const text = String(input)
    let read = 0
    let written = 0
    while (read < text.length) {
      const point = pointAt(text, read)
      const size = sizeOf(point)
      if (written + size > target.length) break
      write(target, written, point, size)
      written += size
      read += point > 0xffff ? 2 : 1
    }
    return { read, written }
  }
}

const names: Readonly<Record<string, true>> = { 'utf-8': true, utf8: true, 'unicode-1-1-utf-8': true }
const pieceLength = 16_384
const nothing = new Uint8Array(0)

function bytesOf(input: unknown): Uint8Array {
  if (input === undefined) return nothing
  if (input instanceof ArrayBuffer) return new Uint8Array(input)
  if (isView(input)) return new Uint8Array(input.buffer, input.byteOffset, input.byteLength)
  throw new TypeError('decode takes an ArrayBuffer or a view of one.')
}

/** What the standard's decoder keeps between two bytes. */
interface State {
  point: number
  needed: number
  seen: number
  lower: number
  upper: number
  begun: boolean
}

const fresh = (): State => ({ point: 0, needed: 0, seen: 0, lower: 0x80, upper: 0xbf, begun: false })

export class TextDecoder {
  readonly #fatal: boolean
  readonly #ignoreBOM: boolean
  #state = fresh()

  constructor(label: unknown = 'utf-8', options: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
    if (names[toLowerCase(trim(String(label)))] !== true) {
      throw new RangeError(`The encoding '${String(label)}' is not in the sandbox; utf-8 is the only one.`)
    }
    this.#fatal = Boolean(options.fatal)
    this.#ignoreBOM = Boolean(options.ignoreBOM)
  }

  get encoding(): string {
    return 'utf-8'
  }

  get fatal(): boolean {
    return this.#fatal
  }

  get ignoreBOM(): boolean {
    return this.#ignoreBOM
  }

  decode(input?: unknown, options: { stream?: boolean } = {}): string {
    const state = this.#state
    const bytes = bytesOf(input)
    const pieces: string[] = []
    let piece = ''
    const give = (point: number): void => {
      const isMark = point === 0xfeff && !state.begun && !this.#ignoreBOM
      state.begun = true
      if (isMark) return
      piece +=
        point > 0xffff
          ? fromCharCode(0xd800 + ((point - 0x10000) >> 10), 0xdc00 + ((point - 0x10000) & 0x3ff))
          : fromCharCode(point)
      if (piece.length < pieceLength) return
      push(pieces, piece)
      piece = ''
    }
    const wrong = (): void => {
      if (this.#fatal) {
        this.#state = fresh()
        throw new TypeError('The encoded data was not valid for encoding utf-8')
      }
      give(0xfffd)
    }
    for (let at = 0; at < bytes.length; at += 1) {
      const byte = bytes[at] ?? 0
      if (state.needed === 0) {
        if (byte < 0x80) give(byte)
        else if (!begin(state, byte)) wrong()
        continue
      }
      if (byte < state.lower || byte > state.upper) {
        reset(state)
        wrong()
        at -= 1
        continue
      }
      state.lower = 0x80
      state.upper = 0xbf
      state.point = (state.point << 6) | (byte & 63)
      state.seen += 1
      if (state.seen < state.needed) continue
      const { point } = state
      reset(state)
      give(point)
    }
    if (!options.stream) {
      if (state.needed > 0) wrong()
      this.#state = fresh()
    }
    push(pieces, piece)
    return join(pieces, '')
  }
}

function reset(state: State): void {
  state.point = state.needed = state.seen = 0
  state.lower = 0x80
  state.upper = 0xbf
}

/** Takes the first byte of a longer sequence; false for one that none begins with. */
function begin(state: State, byte: number): boolean {
  if (byte < 0xc2 || byte > 0xf4) return false
  state.needed = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3
  state.point = byte & (0x3f >> state.needed)
  if (byte === 0xe0) state.lower = 0xa0
  if (byte === 0xf0) state.lower = 0x90
  if (byte === 0xed) state.upper = 0x9f
  if (byte === 0xf4) state.upper = 0x8f
  return true
}
