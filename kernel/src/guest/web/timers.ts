// setTimeout and its kin, each bound to the invocation that set it: the host waits and enters again when one is due;
// when the invocation ends, what is left of them is dead. Bounded per invocation in those that wait and in all.
import { describeFailure } from '../failures.ts'
import type { Invocation } from '../invocation.ts'
import { apply, create, NativeError, NativeTypeError } from '../primordials.ts'

type Callback = (...args: readonly unknown[]) => unknown

interface Timer {
  readonly invocation: Invocation
  readonly run: Callback
  readonly args: readonly unknown[]
  readonly ms: number
  readonly repeats: boolean
}

export interface Timers {
  readonly globals: Readonly<Record<string, unknown>>
  /** The host's word that a timer of an invocation has come. */
  due(invocation: Invocation, id: number): void
  /** Forgets those of an invocation that has ended. */
  drop(invocation: Invocation): void
}

/** As in Node: what is no time, or too long for a timer, is the shortest. */
const delayOf = (value: unknown): number => {
  const ms = Number(value)
  return ms >= 1 && ms <= 0x7fffffff ? Math.trunc(ms) : 1
}

export function createTimers(current: () => Invocation | undefined): Timers {
  const timers: Record<number, Timer> = create(null)
  let last = 0

  function arm(id: number, timer: Timer): void {
    if (timer.invocation.armTimer(id, timer.ms)) timers[id] = timer
  }

  function set(name: string, run: unknown, ms: number, repeats: boolean, args: readonly unknown[]): number {
    if (typeof run !== 'function') throw new NativeTypeError(`${name} takes a function.`)
    const invocation = current()
    if (!invocation) throw new NativeError(`${name} has nobody to wait for: no handler is running.`)
    last += 1
    arm(last, { invocation, run: (...given) => apply(run, undefined, given), args, ms, repeats })
    return last
  }

  function clear(id: unknown): void {
    const timer = timers[Number(id)]
    if (!timer) return
    delete timers[Number(id)]
    timer.invocation.clearTimer(Number(id))
  }

  return {
    globals: {
      setTimeout: (run: unknown, ms?: unknown, ...args: unknown[]) =>
        set('setTimeout', run, delayOf(ms), false, args),
      setInterval: (run: unknown, ms?: unknown, ...args: unknown[]) =>
        set('setInterval', run, delayOf(ms), true, args),
      setImmediate: (run: unknown, ...args: unknown[]) => set('setImmediate', run, 0, false, args),
      clearTimeout: clear,
      clearInterval: clear,
      clearImmediate: clear,
    },
    due(invocation, id) {
      const timer = timers[id]
      if (timer?.invocation !== invocation) return
      delete timers[id]
      invocation.timerCame()
      if (timer.repeats) arm(id, timer)
      try {
        apply(timer.run, undefined, timer.args)
      } catch (thrown) {
        const { failure, body } = describeFailure(thrown, invocation.id)
        invocation.fail(failure, body)
      }
    },
    drop(invocation) {
      for (const id in timers) if (timers[id]?.invocation === invocation) delete timers[id]
    },
  }
}
