// A plugin that runs in the kernel's own process: the guest's code of the sandbox in a realm for each tenant, entered by
// function calls where a host is sent frames. What crosses is JSON text here too, so that nothing is shared by reference
// and every answer is the sandbox's. What cannot be held here: an endless loop and memory. CPU is counted afterwards.
import { LRUCache } from 'lru-cache'
import type { Logger } from 'pino'
import { errors } from '../errors.ts'
import type { HandlerFailure } from '../protocol/envelope.ts'
import { parseGuestMessage } from '../protocol/guest-message.ts'
import { InvocationTimers } from '../protocol/invocation-timers.ts'
import { answerCall, type PluginCall } from './answer-call.ts'
import { EntryClock } from './entry-clock.ts'
import { hostFailure } from './host-failure.ts'
import { Inside, type Running } from './inside.ts'
import type { SandboxLimits } from './limits.ts'
import type { HostInvocation, PluginHost } from './plugin-host.ts'
import { guestFailure, realmFailure } from './realm-failure.ts'
import type { SourcePositions } from './source-positions.ts'
import type { StrayRejections } from './stray-rejections.ts'
import { type Hear, type RealmCode, realmCode, TenantRealm } from './tenant-realm.ts'

export interface InProcessParts {
  readonly guest: string
  readonly bundle: string
  readonly limits: Pick<SandboxLimits, 'guest' | 'host'>
  readonly stray: StrayRejections
  readonly positions: SourcePositions
  readonly log: Logger
}

/** Where an invocation runs and what it has there. */
interface Place {
  readonly realm: TenantRealm
  readonly timers: InvocationTimers
  cpuMs: number
}

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve))

export class InProcessHost implements PluginHost {
  readonly #parts: InProcessParts
  readonly #realms: LRUCache<string, TenantRealm>
  readonly #inside: Inside
  readonly #places = new Map<number, Place>()
  readonly #clock = new EntryClock()
  #code: RealmCode | undefined
  #closed = false

  constructor(parts: InProcessParts) {
    this.#parts = parts
    const { guest } = parts.limits
    this.#inside = new Inside(guest)
    this.#realms = new LRUCache({
      max: guest.isolates,
      ttl: guest.isolateIdleMs,
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
      const { message, stack } = realmFailure(error)
      const at = /plinth:plugin:\d+:\d+/.exec(stack)?.[0]
      const reason = at === undefined || message.includes(at) ? message : `${message} (${at})`
      throw new Error(await this.#parts.positions.explain(reason), { cause: error })
    }
  }

  async invoke(invocation: HostInvocation): Promise<string> {
    const { module, handler, context, inputJson, limits } = invocation
    if (this.#closed || this.#inside.size >= this.#parts.limits.host.invocationsAtOnce) {
      throw errors.moduleUnavailable({ module })
    }
    try {
      const realm = this.#realmOf(invocation)
      const { id, answer } = this.#inside.enter(invocation, (late) =>
        this.#stop(late, errors.pluginDeadline({ module, limitMs: limits.wallMs })),
      )
      this.#places.set(id, { realm, timers: new InvocationTimers(), cpuMs: 0 })
      const head = JSON.stringify({ handler, context })
      this.#enter(id, 'start', `${head.slice(0, -1)},"input":${inputJson}}`)
      return await answer
    } catch (error) {
      return this.#parts.positions.rethrow(error)
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    const deadline = performance.now() + this.#parts.limits.host.drainMs
    while (this.#inside.size > 0 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    for (const id of [...this.#places.keys()]) {
      const module = this.#inside.get(id)?.module ?? ''
      this.#stop(id, errors.moduleUnavailable({ module }))
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
      throw hostFailure(realmFailure(error), module, '{}', () => undefined)
    }
  }

  #enter(
    id: number,
    what: 'start' | 'settle' | 'timer',
    ...values: readonly (string | number | boolean)[]
  ): void {
    const place = this.#places.get(id)
    const cap = this.#inside.get(id)?.limits.cpuMs
    if (!place || cap === undefined) return
    const { entryMs } = this.#parts.limits.guest
    const used = this.#clock.measure(() => {
      try {
        this.#parts.stray.during(
          (reason) => this.#fail(id, realmFailure(reason)),
          () => place.realm.enter(what, id, ...values),
        )
      } catch (error) {
        this.#fail(id, realmFailure(error))
      }
    })
    place.cpuMs += used
    if (used > entryMs) this.#fail(id, { kind: 'limit', limit: 'cpu', used, cap: entryMs })
    else if (place.cpuMs > cap) this.#fail(id, { kind: 'limit', limit: 'cpu', used: place.cpuMs, cap })
  }

  /** Called inside an entry, so it only takes note: nothing of the kernel runs on the plugin's stack. */
  #hear: Hear = (kind, invocation, call, head, body) => {
    const message = parseGuestMessage(kind, invocation, call, head, body)
    const place = message && this.#places.get(message.invocation)
    if (!message || !place) return
    const { invocation: id } = message
    switch (message.kind) {
      case 'call':
        queueMicrotask(() => void this.#answer(id, message))
        return
      case 'timer': {
        const { timer, ms } = message
        const { timers: most } = this.#parts.limits.guest
        place.timers.set(timer, ms, most, () => this.#enter(id, 'timer', timer))
        return
      }
      case 'untimer':
        place.timers.clear(message.timer)
        return
      case 'done':
        // It counts once the entry has returned and nothing it left behind has failed.
        setImmediate(() => this.#done(id, message.body))
        return
      case 'failed':
        queueMicrotask(() => this.#fail(id, guestFailure(message.failure), message.body))
    }
  }

  async #answer(id: number, call: PluginCall): Promise<void> {
    const one = this.#inside.get(id)
    if (!one) return
    const over = one.ledger.count(call.name, Buffer.byteLength(call.body))
    const answer = over ? ({ type: 'over', error: over } as const) : await answerCall(one, call, this.#parts)
    if (answer?.type === 'over') this.#stop(id, answer.error)
    else if (answer) this.#enter(id, 'settle', call.call, answer.type === 'result', answer.body)
  }

  #done(id: number, text: string): void {
    this.#finish(id, (one) => {
      const refused = one.ledger.checkResult(Buffer.byteLength(text))
      if (refused) one.reject(refused)
      else one.resolve(text)
    })
  }

  #fail(id: number, failure: HandlerFailure, body = '{}'): void {
    const one = this.#inside.get(id)
    if (one)
      this.#stop(
        id,
        hostFailure(failure, one.module, body, (call) => one.ledger.refusalOf(call)),
      )
  }

  /** Ends an invocation whose handler may not have ended: what it still does finds its ctx ended. */
  #stop(id: number, error: unknown): void {
    const realm = this.#places.get(id)?.realm
    this.#finish(id, (one) => one.reject(error))
    realm?.enter('cancel', id)
  }

  #finish(id: number, settle: (one: Running) => void): void {
    const one = this.#inside.take(id)
    const place = this.#places.get(id)
    if (!one || !place) return
    this.#places.delete(id)
    place.timers.clearAll()
    one.spent(place.cpuMs)
    settle(one)
  }
}
