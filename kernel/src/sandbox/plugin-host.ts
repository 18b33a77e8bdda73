// The kernel's side of one host process: handshake, invocations with their deadlines, the calls they make, and the end.
// Nothing a host says is believed before it is parsed; a host that breaks the protocol is killed.
import type { Logger } from 'pino'
import { errors, isPlinthError } from '../errors.ts'
import type { CallName } from '../protocol/calls.ts'
import { encodeFrame, FrameDecoder, fromHost } from '../protocol/codec.ts'
import type { Handler, HandlerFailure, InvocationContext, ToHost, ToKernel } from '../protocol/envelope.ts'
import { parseToKernel } from '../protocol/parse-to-kernel.ts'
import { protocolVersion } from '../protocol/version.ts'
import type { PluginRefusal } from './declared-failure.ts'
import type { HostProcess } from './host-process.ts'
import { defaultLimits } from './limits.ts'
import { writePluginLog } from './plugin-log.ts'

export interface HostInvocation {
  /** Module, for errors and the log. */
  readonly module: string
  readonly tenant: string
  readonly requestId: string
  readonly handler: Handler
  readonly inputJson: string
  readonly context: InvocationContext
  readonly limits: { readonly cpuMs: number; readonly wallMs: number }
  /** Told at the end how much CPU it took. */
  spent(cpuMs: number): void
  /** Counts bytes of arguments and answers. @throws LIMIT_EXCEEDED */
  spend?(limit: 'bytesIn' | 'bytesOut', bytes: number): void
  /** Counts a line of the log; false when there were too many already. */
  mayLog?(): boolean
  /** The broker: answers a call of the plugin, or throws what the caller should see. */
  answer(name: CallName, input: unknown): Promise<unknown>
}

/** What operators see of a plugin's processes. */
export interface PluginHostStats {
  readonly hosts: readonly { readonly isolates?: number }[]
  /** Since the kernel started, by reason. */
  readonly deaths: Readonly<Record<string, number>>
  /** Messages that belonged to no invocation. */
  readonly dropped: number
}

export interface PluginHost {
  /** The manifest as the plugin's code gives it; anything at all. */
  describe(): Promise<unknown>
  /** The handler's answer, as JSON text. Rejects with a PlinthError or, for `fail()`, with a PluginRefusal. */
  invoke(invocation: HostInvocation): Promise<string>
  stats?(): PluginHostStats
  close(): Promise<void>
}

interface Running extends HostInvocation {
  readonly resolve: (value: string) => void
  readonly reject: (error: unknown) => void
  readonly deadline: NodeJS.Timeout
  /** What the kernel answered to calls it refused, by call. */
  readonly refused: Map<number, unknown>
}

interface Question {
  readonly resolve: (body: string) => void
  readonly reject: (error: Error) => void
}

const longestCallsInRefusals = 500

export class RunningHost {
  readonly #child: HostProcess
  readonly #log: Logger
  readonly #running = new Map<number, Running>()
  readonly #onEnd: (host: RunningHost) => void
  #question: Question | undefined
  #next = 1
  #ended = false
  #endReason = ''
  #dropped = 0
  #unanswered = 0

  constructor(child: HostProcess, log: Logger, onEnd: (host: RunningHost) => void) {
    this.#child = child
    this.#log = log
    this.#onEnd = onEnd
    const decoder = new FrameDecoder(fromHost, (header, body) => this.#hear(parseToKernel(header), body))
    child.stdout.on('data', (chunk: Buffer) => {
      try {
        if (!this.#ended) decoder.push(chunk)
      } catch (error) {
        this.#log.error({ err: error }, 'a host broke the protocol')
        this.kill('protocol violation')
      }
    })
    child.stderr.on('data', (chunk: Buffer) =>
      this.#log.warn({ stderr: chunk.toString().slice(0, 2_000) }, 'host'),
    )
    // A pipe that breaks is the host's end, which `exit` reports.
    child.stdin.on('error', () => undefined)
    child.on('error', (error) => this.#end(error.message))
    child.on('exit', (code, signal) => this.#end(`exit ${signal ?? code}`))
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  get hasEnded(): boolean {
    return this.#ended
  }

  /** Why, once it has. */
  get endReason(): string {
    return this.#endReason
  }

  /** Messages that belonged to no invocation. */
  get dropped(): number {
    return this.#dropped
  }

  /** Plugin code may be running in it. */
  get isBusy(): boolean {
    return this.#running.size > 0 || this.#question !== undefined
  }

  /** Pings since the host last said anything. Counted and not timed: when the kernel itself stalls, nobody is silent. */
  ping(): number {
    this.send({ type: 'ping' })
    this.#unanswered += 1
    return this.#unanswered
  }

  /** One question at a time, while the host is being started: what `ready`, `loaded` and `described` answer. */
  ask(message: ToHost | undefined, body: string, deadlineMs: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const deadline = setTimeout(() => {
        reject(new Error(`did not load within ${deadlineMs} ms`))
        this.kill('did not load in time')
      }, deadlineMs)
      const settle =
        <A>(act: (value: A) => void) =>
        (value: A) => {
          clearTimeout(deadline)
          this.#question = undefined
          act(value)
        }
      this.#question = { resolve: settle(resolve), reject: settle(reject) }
      if (this.#ended) this.#question.reject(new Error('its host ended while loading'))
      else if (message) this.send(message, body)
    })
  }

  send(message: ToHost, body = ''): void {
    if (!this.#ended) this.#child.stdin.write(encodeFrame(message, body))
  }

  invoke(invocation: HostInvocation): Promise<string> {
    const id = this.#next
    this.#next += 1
    const { module, inputJson, handler, context, limits, tenant } = invocation
    return new Promise((resolve, reject) => {
      if (this.#ended) return reject(errors.moduleUnavailable({ module }))
      const deadline = setTimeout(() => {
        this.#finish(id, (one) => one.reject(errors.pluginDeadline({ module, limitMs: limits.wallMs })))
        this.send({ type: 'cancel', invocation: id })
      }, limits.wallMs)
      this.#running.set(id, { ...invocation, resolve, reject, deadline, refused: new Map() })
      // The input is JSON already: it is put in as it is, so that it is serialised once.
      const head = JSON.stringify({ handler, context })
      const body = `${head.slice(0, -1)},"input":${inputJson}}`
      this.send({ type: 'invoke', invocation: id, tenant, cpuMs: limits.cpuMs }, body)
    })
  }

  /** The host counts as gone from now on, so that whoever comes next waits for its successor. */
  kill(reason: string): void {
    this.#child.kill('SIGKILL')
    this.#end(reason)
  }

  /** One tenant inside: it was his. Several: nobody can say whose it was, and nobody is blamed. */
  killForMemory(used: number, cap: number): void {
    const inside = [...this.#running]
    const [first] = inside
    if (first && inside.every(([, one]) => one.tenant === first[1].tenant)) {
      for (const [id] of inside) {
        this.#finish(id, (one) =>
          one.reject(errors.limitExceeded({ module: one.module, limit: 'memory', used, cap })),
        )
      }
    }
    this.kill('too much memory')
  }

  /** Resolves when the process is gone. */
  gone(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined) {
      return Promise.resolve()
    }
    return new Promise((resolve) => this.#child.once('exit', () => resolve()))
  }

  #hear(message: ToKernel, body: Buffer): void {
    this.#unanswered = 0
    switch (message.type) {
      case 'call':
        void this.#answer(message.invocation, message.call, message.name, body.toString())
        return
      case 'done':
        this.#finish(message.invocation, (one) => {
          one.spent(message.cpuMs)
          one.resolve(body.toString())
        })
        return
      case 'failed': {
        const text = body.toString()
        const fail = () =>
          this.#finish(message.invocation, (one) => {
            one.spent(message.cpuMs)
            one.reject(this.#errorOf(message.failure, one, text))
          })
        // Lost with its isolate, perhaps while it waited for the very invocation that broke it (a hook, a service): that
        // one's error comes up through its call first and says more.
        if (message.failure.kind === 'lost') setImmediate(fail)
        else fail()
        return
      }
      case 'ready':
        if (message.protocol !== protocolVersion) this.#question?.reject(new Error('speaks another protocol'))
        else this.#question?.resolve('')
        return
      case 'refused':
        this.#question?.reject(new Error(message.reason))
        return
      case 'loaded':
      case 'described':
        this.#question?.resolve(body.toString())
        return
      case 'pong':
        return
      case 'dying':
        this.#finish(message.invocation, (one) => one.reject(this.#unstoppable(one)))
        this.kill('it could not stop an invocation')
        return
    }
  }

  async #answer(id: number, call: number, name: CallName, body: string): Promise<void> {
    const one = this.#running.get(id)
    if (!one) {
      this.#dropped += 1
      return
    }
    try {
      const input: unknown = JSON.parse(body)
      if (name === 'log.write') {
        if (one.mayLog?.() ?? true) writePluginLog(this.#log, one, input)
        return
      }
      one.spend?.('bytesIn', Buffer.byteLength(body))
      const value = JSON.stringify((await one.answer(name, input)) ?? null)
      one.spend?.('bytesOut', Buffer.byteLength(value))
      if (Buffer.byteLength(value) > defaultLimits.host.answerBytes) {
        throw errors.limitExceeded({
          module: one.module,
          limit: 'answer',
          used: value.length,
          cap: defaultLimits.host.answerBytes,
        })
      }
      if (this.#running.has(id)) this.send({ type: 'result', invocation: id, call }, value)
    } catch (error) {
      this.#refuse(id, call, one, error)
    }
  }

  #refuse(id: number, call: number, one: Running, error: unknown): void {
    const known = isPlinthError(error) ? error : errors.internal({}, error)
    // A limit is not the plugin's to catch: the invocation is over.
    if (known.code === 'LIMIT_EXCEEDED' || one.refused.size > longestCallsInRefusals) {
      this.#finish(id, () => one.reject(known))
      this.send({ type: 'cancel', invocation: id })
      return
    }
    one.refused.set(call, known)
    const { code, message, data } = known
    this.send({ type: 'failure', invocation: id, call }, JSON.stringify({ code, message, data }))
  }

  #unstoppable({ module }: Running): Error {
    const { entryMs } = defaultLimits.guest
    return errors.limitExceeded({ module, limit: 'cpu', used: entryMs, cap: entryMs })
  }

  #errorOf(failure: HandlerFailure, one: Running, body: string): unknown {
    const { module } = one
    switch (failure.kind) {
      case 'threw': {
        const cause = new Error(failure.message)
        cause.stack = failure.stack === '' ? failure.message : failure.stack
        return errors.pluginFailed({ module }, cause)
      }
      case 'refused':
        return refusalOf(failure.code, body)
      case 'call':
        return one.refused.get(failure.call) ?? errors.pluginFailed({ module })
      case 'limit':
        return errors.limitExceeded({
          module,
          limit: failure.limit,
          used: Math.round(failure.used),
          cap: failure.cap,
        })
      case 'lost':
        return errors.moduleUnavailable({ module })
    }
  }

  #finish(id: number, settle: (one: Running) => void): void {
    const one = this.#running.get(id)
    if (!one) {
      this.#dropped += 1
      return
    }
    this.#running.delete(id)
    clearTimeout(one.deadline)
    settle(one)
  }

  #end(reason: string): void {
    if (this.#ended) return
    this.#ended = true
    this.#endReason = reason
    this.#question?.reject(new Error(`ended its host while loading (${reason})`))
    for (const id of [...this.#running.keys()]) {
      this.#finish(id, (one) => one.reject(errors.moduleUnavailable({ module: one.module })))
    }
    this.#log.info({ reason, dropped: this.#dropped }, 'a host has ended')
    this.#onEnd(this)
  }
}

function refusalOf(code: string, body: string): PluginRefusal {
  let data: unknown
  try {
    data = JSON.parse(body)
  } catch {
    data = undefined
  }
  const isObject = typeof data === 'object' && data !== null && !Array.isArray(data)
  return { name: 'PluginRefusal', code, data: isObject ? (data as Record<string, unknown>) : {} }
}
