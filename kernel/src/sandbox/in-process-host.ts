// A plugin that runs in the kernel's own process: the guest's code of the sandbox in a realm for each tenant, entered by
// function calls where a host is sent frames. What crosses is JSON text here too, so that nothing is shared by reference
// and every answer is the sandbox's. What cannot be held here: an endless loop and memory. CPU is counted afterwards.
import { LRUCache } from 'lru-cache'
import type { Logger } from 'pino'
import { errors, isPlinthError } from '../errors.ts'
import { type CallName, isCallName } from '../protocol/calls.ts'
import type { HandlerFailure } from '../protocol/envelope.ts'
import { parseToKernel } from '../protocol/parse-to-kernel.ts'
import { EntryClock } from './entry-clock.ts'
import { errorOfFailure } from './failure-error.ts'
import type { SandboxLimits } from './limits.ts'
import type { HostInvocation, PluginHost } from './plugin-host.ts'
import { writePluginLog } from './plugin-log.ts'
import type { StrayRejections } from './stray-rejections.ts'
import { type Hear, type RealmCode, realmCode, TenantRealm } from './tenant-realm.ts'

interface Running extends HostInvocation {
  readonly id: number
  readonly realm: TenantRealm
  readonly resolve: (value: string) => void
  readonly reject: (error: unknown) => void
  readonly deadline: NodeJS.Timeout
  readonly refused: Map<number, unknown>
  cpuMs: number
}

export interface InProcessParts {
  readonly guest: string
  readonly bundle: string
  readonly limits: Pick<SandboxLimits, 'guest' | 'host'>
  readonly stray: StrayRejections
  readonly log: Logger
}

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve))

function threw(error: unknown): HandlerFailure {
  const isObject = typeof error === 'object' && error !== null
  const { message, stack }: { message?: unknown; stack?: unknown } = isObject ? error : {}
  return {
    kind: 'threw',
    message: typeof message === 'string' ? message : 'It threw something without a message.',
    stack: typeof stack === 'string' ? stack : '',
  }
}

/** What the guest wrote of its handler's failure, through the same parser as a host's words. */
function failureOf(head: string): HandlerFailure {
  const said = parseToKernel(`{"type":"failed","invocation":0,"cpuMs":0,"failure":${head}}`)
  return said.type === 'failed' ? said.failure : { kind: 'lost' }
}

export class InProcessHost implements PluginHost {
  readonly #parts: InProcessParts
  readonly #realms: LRUCache<string, TenantRealm>
  readonly #running = new Map<number, Running>()
  readonly #clock = new EntryClock()
  #code: RealmCode | undefined
  #next = 1
  #closed = false

  constructor(parts: InProcessParts) {
    this.#parts = parts
    const { isolates, isolateIdleMs } = parts.limits.guest
    this.#realms = new LRUCache({
      max: isolates,
      ttl: isolateIdleMs,
      updateAgeOnGet: true,
      ttlAutopurge: true,
    })
  }

  /** In a realm of its own that no tenant ever uses. */
  async describe(): Promise<unknown> {
    const found: { stray?: unknown } = {}
    const keep = (stray: unknown) => {
      found.stray = stray
    }
    try {
      const manifest = this.#parts.stray.during(keep, () => this.#makeRealm().enter('describe'))
      await nextTurn()
      if ('stray' in found) throw found.stray
      return JSON.parse(manifest ?? 'null')
    } catch (error) {
      // Of the realm's Error, which is none of ours.
      const failure = threw(error)
      throw new Error(failure.kind === 'threw' ? failure.message : '', { cause: error })
    }
  }

  invoke(invocation: HostInvocation): Promise<string> {
    const { module, handler, context, inputJson, limits } = invocation
    return new Promise((resolve, reject) => {
      if (this.#closed || this.#running.size >= this.#parts.limits.host.invocationsAtOnce) {
        return reject(errors.moduleUnavailable({ module }))
      }
      const realm = this.#realmOf(invocation)
      const id = this.#next
      this.#next += 1
      const deadline = setTimeout(
        () => this.#stop(one, errors.pluginDeadline({ module, limitMs: limits.wallMs })),
        limits.wallMs,
      )
      const one: Running = {
        ...invocation,
        id,
        realm,
        resolve,
        reject,
        deadline,
        refused: new Map(),
        cpuMs: 0,
      }
      this.#running.set(id, one)
      const head = JSON.stringify({ handler, context })
      this.#enter(one, 'start', `${head.slice(0, -1)},"input":${inputJson}}`)
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    const deadline = performance.now() + this.#parts.limits.host.drainMs
    while (this.#running.size > 0 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    for (const one of [...this.#running.values()]) {
      this.#stop(one, errors.moduleUnavailable({ module: one.module }))
    }
    this.#realms.clear()
  }

  #makeRealm(): TenantRealm {
    const { guest, bundle, limits } = this.#parts
    this.#code ??= realmCode(guest, bundle, limits.guest)
    return new TenantRealm(this.#code, this.#hear)
  }

  #realmOf({ module, tenant }: HostInvocation): TenantRealm {
    const known = this.#realms.get(tenant)
    if (known) return known
    const { stray, log } = this.#parts
    try {
      const lost = (reason: unknown) =>
        log.error({ module, tenant, err: reason }, 'nobody handled a rejection')
      const made = stray.during(lost, () => this.#makeRealm())
      this.#realms.set(tenant, made)
      return made
    } catch (error) {
      throw errorOfFailure(threw(error), { module, refused: new Map() }, '{}')
    }
  }

  #enter(one: Running, what: 'start' | 'settle', ...values: readonly (string | number | boolean)[]): void {
    const { entryMs } = this.#parts.limits.guest
    const { cpuMs: cap } = one.limits
    const used = this.#clock.measure(() => {
      try {
        this.#parts.stray.during(
          (reason) => this.#fail(one, threw(reason)),
          () => one.realm.enter(what, one.id, ...values),
        )
      } catch (error) {
        this.#fail(one, threw(error))
      }
    })
    one.cpuMs += used
    if (used > entryMs) this.#fail(one, { kind: 'limit', limit: 'cpu', used, cap: entryMs })
    else if (one.cpuMs > cap) this.#fail(one, { kind: 'limit', limit: 'cpu', used: one.cpuMs, cap })
  }

  /** Called inside an entry, so it only takes note: nothing of the kernel runs on the plugin's stack. */
  #hear: Hear = (kind, id, call, head, body) => {
    const one = this.#running.get(id)
    if (!one) return
    switch (kind) {
      case 'call':
        if (isCallName(head)) queueMicrotask(() => void this.#answer(one, call, head, body))
        return
      case 'done':
        // It counts once the entry has returned and nothing it left behind has failed.
        setImmediate(() => this.#finish(one, () => one.resolve(body)))
        return
      case 'failed':
        queueMicrotask(() => this.#finish(one, () => one.reject(errorOfFailure(failureOf(head), one, body))))
    }
  }

  async #answer(one: Running, call: number, name: CallName, body: string): Promise<void> {
    if (!this.#running.has(one.id)) return
    try {
      const input: unknown = JSON.parse(body)
      if (name === 'log.write') return writePluginLog(this.#parts.log, one, input)
      const value = JSON.stringify((await one.answer(name, input)) ?? null)
      const { answerBytes } = this.#parts.limits.host
      if (Buffer.byteLength(value) > answerBytes) {
        const { module } = one
        throw errors.limitExceeded({ module, limit: 'answer', used: value.length, cap: answerBytes })
      }
      if (this.#running.has(one.id)) this.#enter(one, 'settle', call, true, value)
    } catch (error) {
      this.#refuse(one, call, error)
    }
  }

  #refuse(one: Running, call: number, error: unknown): void {
    if (!this.#running.has(one.id)) return
    const known = isPlinthError(error) ? error : errors.internal({}, error)
    // A limit is not the plugin's to catch: the invocation is over.
    if (known.code === 'LIMIT_EXCEEDED') {
      this.#stop(one, known)
      return
    }
    one.refused.set(call, known)
    const { code, message, data } = known
    this.#enter(one, 'settle', call, false, JSON.stringify({ code, message, data }))
  }

  #fail(one: Running, failure: HandlerFailure): void {
    this.#stop(one, errorOfFailure(failure, one, '{}'))
  }

  /** Ends an invocation whose handler has not: what it still does finds its ctx ended. */
  #stop(one: Running, error: unknown): void {
    this.#finish(one, () => {
      one.reject(error)
      one.realm.enter('cancel', one.id)
    })
  }

  #finish(one: Running, settle: () => void): void {
    if (!this.#running.delete(one.id)) return
    clearTimeout(one.deadline)
    one.spent(one.cpuMs)
    settle()
  }
}
