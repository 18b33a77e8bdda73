// One tenant's isolate of one plugin, and the invocations in it. Isolates of one process share its address space, and a
// bug in V8 could let one read another (laverdet/isolated-vm #550): the process around them is the second wall, and a
// plugin marked sensitive is to get a process for each tenant. Contexts of one isolate would share heap, pending errors
// and fate (measured), so every tenant has an isolate of its own, and it is thrown away after any entry that failed.
import { randomBytes } from 'node:crypto'
import type IsolatedVm from 'isolated-vm'
import type { HandlerFailure, ToKernel } from '../protocol/envelope.ts'
import { parseGuestMessage } from '../protocol/guest-message.ts'
import { InvocationTimers } from '../protocol/invocation-timers.ts'
import { failureOfEntry } from './entry-failure.ts'
import { type Entry, EntryQueue } from './entry-queue.ts'
import type { Ivm } from './lockdown.ts'
import type { PluginCode } from './plugin-code.ts'
import type { Watchdog, Watched } from './watchdog.ts'

export interface IsolateParts {
  readonly ivm: Ivm
  readonly code: PluginCode
  readonly watchdog: Watchdog
  /** False when a test has taken the wall down: then nothing but the watchdog ends an entry. */
  readonly hasTimeouts: boolean
  readonly send: (message: ToKernel, body?: string) => void
  readonly onCatastrophe: (message: string) => void
  /** The invocation is not in its isolate any more. */
  readonly onEnd: (invocation: number) => void
}

type Argument = string | number | boolean
/** The guest's only way in: see guest/main.ts. */
type Enter = (what: string, ...values: Argument[]) => string | undefined
type EnterReference = IsolatedVm.Reference<Enter>
type Boot = (send: IsolatedVm.Callback, limits: string, seed: string) => Enter

interface Running {
  readonly cpuCap: number
  cpuMs: number
  /** Entries for it that have not returned, waiting ones too. */
  entries: number
  readonly timers: InvocationTimers
  /** What its handler answered while one had not. */
  answer?: string
}

export class TenantIsolate {
  readonly #parts: IsolateParts
  readonly #isolate: IsolatedVm.Isolate
  readonly #ready: Promise<EnterReference>
  /** When it is ready. */
  #enterNow: EnterReference | undefined
  readonly #running = new Map<number, Running>()
  readonly #entries = new EntryQueue((entry) => this.#run(entry))
  #seenCpu = 0n
  #ended = false
  #lastUsedAt = performance.now()

  constructor(parts: IsolateParts) {
    this.#parts = parts
    const { memoryMb, loadMs } = parts.code.limits
    this.#isolate = new parts.ivm.Isolate({ memoryLimit: memoryMb, onCatastrophicError: parts.onCatastrophe })
    this.#ready = parts.watchdog.guard(this.#watch(loadMs), this.#load())
    // Each entry awaits it and reports; without one, a failure to load is nobody's.
    this.#ready.catch(() => undefined)
  }

  get hasEnded(): boolean {
    return this.#ended
  }

  get isIdle(): boolean {
    return this.#running.size === 0
  }

  get lastUsedAt(): number {
    return this.#lastUsedAt
  }

  start(invocation: number, cpuCap: number, body: string): void {
    this.#lastUsedAt = performance.now()
    this.#running.set(invocation, { cpuCap, cpuMs: 0, entries: 0, timers: new InvocationTimers() })
    this.#enter(invocation, 'start', body)
  }

  settle(invocation: number, call: number, isResult: boolean, body: string): void {
    this.#enter(invocation, 'settle', call, isResult, body)
  }

  cancel(invocation: number): void {
    if (!this.#running.has(invocation)) return
    this.#end(invocation)
    if (!this.#ended) this.#entries.add({ invocation, what: 'cancel', values: [] })
  }

  /** The manifest as the plugin's code gives it. Rejects with what the plugin threw, or with half a sentence about it. */
  async describe(): Promise<string> {
    const { limits } = this.#parts.code
    const { loadMs: cpuCap } = limits
    try {
      const enter = await this.#ready
      const call = enter.apply(undefined, ['describe'], {
        ...this.#timeout(cpuCap),
        result: { copy: true },
      })
      const manifest: unknown = await this.#parts.watchdog.guard(this.#watch(cpuCap), call)
      if (typeof manifest !== 'string') throw new Error('The plugin gave no manifest.')
      return manifest
    } catch (error) {
      const isLost = this.#isolate.isDisposed && !this.#ended
      const failure = failureOfEntry({ error, isLost, cpuMs: 0, cpuCap }, limits)
      if (failure.kind !== 'limit') throw error
      throw new Error(
        `goes over its limit of ${failure.cap} ${failure.limit === 'cpu' ? 'ms of CPU' : 'MB'} to load`,
      )
    }
  }

  dispose(): void {
    this.#ended = true
    if (!this.#isolate.isDisposed) this.#isolate.dispose()
  }

  async #load(): Promise<EnterReference> {
    const { ivm, code } = this.#parts
    const timeout = this.#timeout(code.limits.loadMs)
    const context = await this.#isolate.createContext()
    const guest = await code.compileGuest(this.#isolate)
    const boot: IsolatedVm.Reference<Boot> = await guest.run(context, { ...timeout, reference: true })
    const send = new ivm.Callback(this.#hear, { ignored: true })
    const seed = randomBytes(32).toString('hex')
    const enter: EnterReference = await boot.apply(undefined, [send, JSON.stringify(code.limits), seed], {
      ...timeout,
      result: { reference: true },
    })
    boot.release()
    await (await code.compileBundle(this.#isolate)).run(context, timeout)
    await enter.apply(undefined, ['loaded'], timeout)
    this.#takeCpu()
    this.#enterNow = enter
    return enter
  }

  // An arrow function: the isolate calls it without `this`.
  #hear = (kind: unknown, invocation: unknown, call: unknown, head: unknown, body: unknown): void => {
    const message = parseGuestMessage(kind, invocation, call, head, body)
    const running = message && this.#running.get(message.invocation)
    if (!message || !running) return
    if (message.kind === 'call') {
      const { kind: type, body: input, ...header } = message
      this.#parts.send({ type, ...header }, input)
    } else if (message.kind === 'timer') {
      const { invocation: id, timer, ms } = message
      running.timers.set(timer, ms, this.#parts.code.limits.timers, () => {
        if (this.#running.has(id)) this.#enter(id, 'timer', timer)
      })
    } else if (message.kind === 'untimer') running.timers.clear(message.timer)
    else if (message.kind === 'done') {
      running.answer = message.body
      this.#finish(message.invocation, running)
    } else this.#fail(message.invocation, message.failure, message.body)
  }

  #enter(invocation: number, what: string, ...values: Argument[]): void {
    const running = this.#running.get(invocation)
    if (!running) return
    running.entries += 1
    if (!this.#entries.add({ invocation, what, values })) this.#fail(invocation, { kind: 'lost' })
  }

  /** One entry, from its turn to its return. */
  async #run({ invocation, what, values }: Entry): Promise<void> {
    const running = this.#running.get(invocation)
    // Over while it waited, or its isolate is gone.
    if (this.#ended || (!running && what !== 'cancel')) return
    const { entryMs } = this.#parts.code.limits
    let watched: Watched | undefined
    try {
      const enter = this.#enterNow ?? (await this.#ready)
      const entry = enter.apply(undefined, [what, invocation, ...values], this.#timeout(entryMs))
      await this.#parts.watchdog.guard(this.#watch(entryMs, invocation), entry, (given) => {
        watched = given
      })
      if (running) running.entries -= 1
      this.#charge(invocation, this.#takeCpu())
      if (running) this.#finish(invocation, running)
    } catch (error) {
      this.#break(invocation, error, watched?.cpuMs)
    }
  }

  /** An answer counts once every entry has returned: what runs after it, a rejection nobody handles, can still fail. */
  #finish(invocation: number, running: Running): void {
    const { answer, entries, cpuMs } = running
    if (answer === undefined || entries > 0 || !this.#running.has(invocation)) return
    this.#end(invocation)
    this.#parts.send({ type: 'done', invocation, cpuMs }, answer)
  }

  /** The rest of an invocation that has used up its CPU is not run. */
  #charge(invocation: number, spentMs: number): void {
    const running = this.#running.get(invocation)
    if (!running) return
    running.cpuMs += spentMs
    if (running.cpuMs <= running.cpuCap) return
    this.#fail(invocation, { kind: 'limit', limit: 'cpu', used: running.cpuMs, cap: running.cpuCap })
  }

  /** After a failed entry the isolate holds leftovers that would run on the next caller's time. It goes. */
  #break(invocation: number, error: unknown, watchedCpuMs: number | undefined): void {
    const { limits } = this.#parts.code
    const isGone = this.#isolate.isDisposed
    const isLoad = watchedCpuMs === undefined
    const cpuMs = isLoad ? 0 : isGone ? watchedCpuMs : this.#takeCpu()
    const cpuCap = isLoad ? limits.loadMs : limits.entryMs
    const failure = failureOfEntry({ error, isLost: isGone && !this.#ended, cpuMs, cpuCap }, limits)
    const running = this.#running.get(invocation)
    if (running) running.cpuMs += cpuMs
    this.dispose()
    this.#entries.clear()
    this.#fail(invocation, failure)
    // Who waited for a plugin that does not load would have met the same; who was inside is lost without a fault.
    for (const other of [...this.#running.keys()]) this.#fail(other, isLoad ? failure : { kind: 'lost' })
  }

  #fail(invocation: number, failure: HandlerFailure, body = '{}'): void {
    const running = this.#running.get(invocation)
    if (!running) return
    this.#end(invocation)
    this.#parts.send({ type: 'failed', invocation, cpuMs: running.cpuMs, failure }, body)
  }

  #end(invocation: number): void {
    this.#running.get(invocation)?.timers.clearAll()
    this.#running.delete(invocation)
    this.#parts.onEnd(invocation)
  }

  /** Since it was last asked. Entries come one at a time, so it is all of the last one. */
  #takeCpu(): number {
    if (this.#isolate.isDisposed) return 0
    const now = this.#isolate.cpuTime
    const spent = Number(now - this.#seenCpu) / 1e6
    this.#seenCpu = now
    return spent
  }

  /** isolated-vm's timeout counts on the wall; CPU is the watchdog's. */
  #timeout(cpuMs: number): { timeout?: number } {
    return this.#parts.hasTimeouts ? { timeout: cpuMs * this.#parts.code.limits.wallPerCpu } : {}
  }

  #watch(cpuMs: number, invocation?: number) {
    return {
      cpuMs,
      timeoutMs: cpuMs * this.#parts.code.limits.wallPerCpu,
      dispose: () => this.dispose(),
      lastWords: () => this.#parts.send({ type: 'dying', invocation: invocation ?? 0 }),
    }
  }
}
