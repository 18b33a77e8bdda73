// The pipes of a host process: frames out, frames in, what it writes to stderr, and its end. What comes in is bounded and
// parsed before anybody sees it; a host that breaks the protocol is killed.
import type { Logger } from 'pino'
import type { DefencesOff } from '../defences.ts'
import { FrameDecoder, fromHost } from '../protocol/codec.ts'
import type { ToHost, ToKernel } from '../protocol/envelope.ts'
import { FrameWriter } from '../protocol/frame-writer.ts'
import { parseToKernel } from '../protocol/parse-to-kernel.ts'
import type { HostProcess } from './host-process.ts'
import type { HostLimits } from './limits.ts'

export interface ChannelParts {
  readonly child: HostProcess
  readonly log: Logger
  readonly limits: HostLimits
  readonly off: DefencesOff
  readonly hear: (message: ToKernel, body: Buffer) => void
  /** More than one invocation is inside. */
  readonly isShared: () => boolean
  /** The process is gone, or is to be. */
  readonly onEnd: (reason: string, detail?: string) => void
}

/** What stands in for the frame limits when a test has taken them down. */
const noFrameLimits = { frameBytes: 2 ** 30, headerBytes: 2 ** 30 }

export class HostChannel {
  readonly #parts: ChannelParts
  readonly #writer: FrameWriter
  #isClosed = false
  #stderrBytes = 0
  #strays = 0
  #strayBytes = 0

  constructor(parts: ChannelParts) {
    this.#parts = parts
    const { child, log, off, hear, onEnd } = parts
    this.#writer = new FrameWriter(child.stdin, parts.isShared)
    const parse = off.has('messageParsing') ? (header: string): ToKernel => JSON.parse(header) : parseToKernel
    const limits = off.has('frameLimits') ? noFrameLimits : fromHost
    const decoder = new FrameDecoder(limits, (header, body) => {
      if (!this.#isClosed) hear(parse(header), body)
    })
    child.stdout.on('data', (chunk: Buffer) => {
      try {
        if (!this.#isClosed) decoder.push(chunk)
      } catch (error) {
        log.error({ err: error }, 'a host broke the protocol')
        this.kill()
        onEnd('protocol violation')
      }
    })
    child.stderr.on('data', (chunk: Buffer) => this.#hearStderr(chunk))
    // A pipe that breaks is the host's end, which `exit` reports.
    child.stdin.on('error', () => undefined)
    child.on('error', (error) => onEnd('did not start', error.message))
    child.on('exit', (code, signal) => onEnd('exit', String(signal ?? code)))
  }

  get pid(): number | undefined {
    return this.#parts.child.pid
  }

  send(message: ToHost, body = ''): void {
    if (!this.#isClosed) this.#writer.send(message, body)
  }

  /** Nothing it has still to say is heard. */
  kill(): void {
    this.#isClosed = true
    this.#parts.child.kill('SIGKILL')
  }

  /** Resolves when the process is gone. */
  gone(): Promise<void> {
    const { child } = this.#parts
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined)
      return Promise.resolve()
    return new Promise((resolve) => child.once('exit', () => resolve()))
  }

  /** A new heartbeat, a new count of strays. */
  forgetStrays(): void {
    this.#strays = 0
    this.#strayBytes = 0
  }

  /** A message that belongs to nothing under way: nothing else bounds how many of them a host sends. */
  stray(bytes: number): void {
    const { limits, off, log, onEnd } = this.#parts
    this.#strays += 1
    this.#strayBytes += bytes
    if (this.#isClosed || off.has('callLimits')) return
    if (this.#strays <= limits.strayMessages && this.#strayBytes <= limits.strayBytes) return
    log.error({ messages: this.#strays, bytes: this.#strayBytes }, 'a host sends what nobody waits for')
    this.kill()
    onEnd('flood')
  }

  #hearStderr(chunk: Buffer): void {
    const { log, limits } = this.#parts
    if (this.#stderrBytes > limits.stderrBytes) return
    this.#stderrBytes += chunk.length
    log.warn({ stderr: chunk.toString().slice(0, 2_000) }, 'host')
    if (this.#stderrBytes > limits.stderrBytes) log.warn({}, 'a host says too much; no more of it is logged')
  }
}
