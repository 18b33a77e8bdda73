// The kernel's side of one host process: handshake, invocations with their deadlines, the calls they make, and whose fault
// its end was.
import type { Logger } from 'pino'
import { allStand, type DefencesOff } from '../defences.ts'
import { errors } from '../errors.ts'
import type { ToHost, ToKernel } from '../protocol/envelope.ts'
import { protocolVersion } from '../protocol/version.ts'
import { answerCall, type PluginCall } from './answer-call.ts'
import { HostChannel } from './host-channel.ts'
import { hostFailure } from './host-failure.ts'
import type { HostProcess } from './host-process.ts'
import { HostQuestion } from './host-question.ts'
import { Inside, type Running } from './inside.ts'
import type { SandboxLimits } from './limits.ts'
import type { HostInvocation } from './plugin-host.ts'

/** How it ended, and the tenant whose fault it was, if that can be said. */
export interface HostEnd {
  readonly reason: string
  readonly culprit: string | undefined
}

export interface RunningHostParts {
  readonly child: HostProcess
  readonly log: Logger
  readonly limits: SandboxLimits
  readonly onEnd: (end: HostEnd) => void
  readonly off?: DefencesOff
}

export class RunningHost {
  readonly #parts: RunningHostParts
  readonly #channel: HostChannel
  readonly #countsCalls: boolean
  readonly #inside: Inside
  readonly #question = new HostQuestion()
  readonly since = new Date().toISOString()
  #ended = false
  #dropped = 0
  #unanswered = 0
  #isolates = 0

  constructor(parts: RunningHostParts) {
    const { child, log, limits, off = allStand } = parts
    this.#parts = parts
    this.#inside = new Inside(limits.guest)
    this.#countsCalls = !off.has('callLimits')
    this.#channel = new HostChannel({
      child,
      log,
      limits: limits.host,
      off,
      hear: (message, body) => this.#hear(message, body),
      isShared: () => this.#inside.size > 1,
      onEnd: (reason, detail) => this.#end(reason, detail),
    })
  }

  get pid(): number | undefined {
    return this.#channel.pid
  }

  get hasEnded(): boolean {
    return this.#ended
  }

  get inside(): number {
    return this.#inside.size
  }

  get dropped(): number {
    return this.#dropped
  }

  /** As it said itself, at the last heartbeat. */
  get isolates(): number {
    return this.#isolates
  }

  /** Plugin code may be running in it. */
  get isBusy(): boolean {
    return this.#inside.size > 0 || this.#question.isOpen
  }

  /** Pings since the host last said anything. Counted and not timed: when the kernel itself stalls, nobody is silent. */
  ping(): number {
    this.#channel.forgetStrays()
    this.send({ type: 'ping' })
    this.#unanswered += 1
    return this.#unanswered
  }

  /** One question at a time, while the host is being started: what `ready`, `loaded` and `described` answer. */
  ask(message: ToHost | undefined, body: string, deadlineMs: number): Promise<string> {
    const answer = this.#question.ask(deadlineMs, () => this.kill('did not load in time'))
    if (this.#ended) this.#question.reject('its host ended while loading')
    else if (message) this.send(message, body)
    return answer
  }

  send(message: ToHost, body = ''): void {
    this.#channel.send(message, body)
  }

  async invoke(invocation: HostInvocation): Promise<string> {
    const { module, inputJson, handler, context, limits, tenant } = invocation
    if (this.#ended) throw errors.moduleUnavailable({ module })
    const { id, answer } = this.#inside.enter(invocation, (late) =>
      this.#stop(late, errors.pluginDeadline({ module, limitMs: limits.wallMs })),
    )
    // The input is JSON already: it is put in as it is, so that it is serialised once.
    const head = JSON.stringify({ handler, context })
    const body = `${head.slice(0, -1)},"input":${inputJson}}`
    this.send({ type: 'invoke', invocation: id, tenant, cpuMs: limits.cpuMs }, body)
    return answer
  }

  /** The host counts as gone from now on, so that whoever comes next waits for its successor. */
  kill(reason: string): void {
    this.#channel.kill()
    this.#end(reason)
  }

  /** One tenant inside: it was his. Several: nobody can say whose it was, and nobody is blamed. */
  killForMemory(used: number, cap: number): void {
    const culprit = this.#inside.onlyTenant()
    if (culprit !== undefined) {
      for (const { module, reject } of this.#inside.takeAll())
        reject(errors.limitExceeded({ module, limit: 'memory', used, cap }))
    }
    this.#channel.kill()
    this.#end('memory', undefined, culprit)
  }

  /** Resolves when the process is gone. */
  gone(): Promise<void> {
    return this.#channel.gone()
  }

  #hear(message: ToKernel, body: Buffer): void {
    this.#unanswered = 0
    switch (message.type) {
      case 'call':
        this.#call(message, body)
        return
      case 'done':
        this.#finish(message.invocation, body.length, (one) => {
          one.spent(message.cpuMs)
          const refused = this.#countsCalls ? one.ledger.checkResult(body.length) : undefined
          if (refused) one.reject(refused)
          else one.resolve(body.toString())
        })
        return
      case 'failed': {
        const text = body.toString()
        const fail = () =>
          this.#finish(message.invocation, body.length, (one) => {
            one.spent(message.cpuMs)
            one.reject(hostFailure(message.failure, one.module, text, (call) => one.ledger.refusalOf(call)))
          })
        // Lost with its isolate, perhaps while it waited for the very invocation that broke it (a hook, a service): that
        // one's error comes up through its call first and says more.
        if (message.failure.kind === 'lost') setImmediate(fail)
        else fail()
        return
      }
      case 'ready': {
        const isOurs = message.protocol === protocolVersion
        if (!(isOurs ? this.#question.resolve('') : this.#question.reject('speaks another protocol')))
          this.#drop(0)
        return
      }
      case 'refused':
        if (!this.#question.reject(message.reason)) this.#drop(body.length)
        return
      case 'loaded':
      case 'described':
        if (!this.#question.resolve(body.toString())) this.#drop(body.length)
        return
      case 'pong':
        this.#isolates = message.isolates
        this.#channel.stray(body.length)
        return
      case 'dying': {
        const culprit = this.#inside.get(message.invocation)?.tenant ?? this.#inside.onlyTenant()
        const { entryMs } = this.#parts.limits.guest
        this.#finish(message.invocation, 0, ({ module, reject }) =>
          reject(errors.limitExceeded({ module, limit: 'cpu', used: entryMs, cap: entryMs })),
        )
        this.#channel.kill()
        this.#end('could not stop an invocation', undefined, culprit)
        return
      }
    }
  }

  #call(message: Extract<ToKernel, { type: 'call' }>, body: Buffer): void {
    const { invocation: id, call, name } = message
    const one = this.#inside.get(id)
    if (!one) {
      this.#drop(body.length)
      return
    }
    const over = this.#countsCalls ? one.ledger.count(name, body.length) : undefined
    if (over) this.#stop(id, over)
    else void this.#answer(id, one, { call, name, body: body.toString() })
  }

  async #answer(id: number, one: Running, call: PluginCall): Promise<void> {
    const answer = await answerCall(one, call, this.#parts)
    if (!answer || !this.#inside.get(id)) return
    if (answer.type === 'over') this.#stop(id, answer.error)
    else this.send({ type: answer.type, invocation: id, call: call.call }, answer.body)
  }

  /** Ends an invocation from this side. */
  #stop(id: number, error: unknown): void {
    this.#finish(id, 0, (one) => one.reject(error))
    this.send({ type: 'cancel', invocation: id })
  }

  #finish(id: number, bytes: number, settle: (one: Running) => void): void {
    const one = this.#inside.take(id)
    if (one) settle(one)
    else this.#drop(bytes)
  }

  /** Late, and no fault: the invocation was over before the host knew. */
  #drop(bytes: number): void {
    this.#dropped += 1
    this.#channel.stray(bytes)
  }

  #end(reason: string, detail?: string, culprit: string | undefined = this.#inside.onlyTenant()): void {
    if (this.#ended) return
    this.#ended = true
    this.#question.reject(`ended its host while loading (${detail ?? reason})`)
    for (const { module, reject } of this.#inside.takeAll()) reject(errors.moduleUnavailable({ module }))
    this.#parts.log.info({ reason, detail, tenant: culprit, dropped: this.#dropped }, 'a host has ended')
    this.#parts.onEnd({ reason, culprit })
  }
}
