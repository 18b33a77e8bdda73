// Runs inside an isolate before the plugin's bundle does. `boot` gives the host one function, through which everything
// enters as numbers and texts; everything leaves through `send`. Bundled to one script by sandbox/build-scripts.ts.
import { manifestOf, type Plugin } from '@plinth/sdk'
import type { Handler, InvocationContext } from '../protocol/envelope.ts'
import type { GuestLimits } from '../protocol/limits.ts'
import { contextBuilder } from './ctx.ts'
import { describeFailure } from './failures.ts'
import { handlerOf } from './handlers.ts'
import { Invocation, type Send } from './invocation.ts'
import { apply, create, deleteProperty, hasOwn, NativeError, parse, stringify } from './primordials.ts'
import { type LazyUnits, provideGlobals } from './provide-globals.ts'
import { stripGlobals } from './strip-globals.ts'

/** Where a bundle leaves its plugin (see registry/pack-plugin.ts). */
const pluginName = '__plinthPlugin'

const isPlugin = (value: unknown): value is Plugin =>
  typeof value === 'object' &&
  value !== null &&
  'spec' in value &&
  typeof value.spec === 'object' &&
  value.spec !== null

interface Start {
  readonly handler: Handler
  readonly input: unknown
  readonly context: InvocationContext
}

type Enter = (what: string, ...args: readonly never[]) => string | undefined

export interface BootOptions {
  readonly lazy: LazyUnits
  /** False in a test that takes this wall down. */
  readonly strips: boolean
}

/** `seed`: 32 random bytes in hexadecimal, for this isolate alone. */
export function boot(send: Send, limitsText: string, seed: string, { lazy, strips }: BootOptions): Enter {
  const limits: GuestLimits = parse(limitsText)
  const running: Record<number, Invocation> = create(null)
  let plugin: Plugin | undefined
  let contextFor: ReturnType<typeof contextBuilder> | undefined
  // The one entered last. A continuation belongs to the entry that resumed it, so for console and timers this is as good as exact.
  let current: Invocation | undefined

  if (strips) stripGlobals()
  const timers = provideGlobals(() => current, seed, lazy)

  function takePlugin(): Plugin {
    if (plugin) return plugin
    const found: unknown = hasOwn(globalThis, pluginName) ? Reflect.get(globalThis, pluginName) : undefined
    if (!isPlugin(found)) throw new NativeError('The bundle has no plugin as its default export.')
    deleteProperty(globalThis, pluginName)
    contextFor = contextBuilder(found.spec)
    plugin = found
    return found
  }

  async function run(invocation: Invocation, text: string): Promise<void> {
    try {
      const { handler, input, context }: Start = parse(text)
      const { spec } = takePlugin()
      const ctx = contextFor?.(invocation, context) ?? {}
      const value = await handlerOf(spec, handler)(ctx, input)
      // First: a toJSON or a getter of the plugin's may make calls of its own.
      const answer = stringify(value) ?? 'null'
      if (invocation.inFlight > 0) {
        throw new NativeError(
          `The handler returned while ${invocation.inFlight} of its calls were still running. Await them.`,
        )
      }
      invocation.done(answer)
    } catch (thrown) {
      if (invocation.isOver) return
      const { failure, body } = describeFailure(thrown, invocation.id)
      invocation.fail(failure, body)
    }
  }

  /** At its end and not when its handler returns: one that hit a limit never does, and would be held with all it holds. */
  function forget(invocation: Invocation): void {
    timers.drop(invocation)
    delete running[invocation.id]
  }

  const entries = {
    loaded: () => void takePlugin(),
    describe: () => stringify(manifestOf(takePlugin())),
    start(id: number, text: string) {
      current = running[id] = new Invocation(id, send, limits, forget)
      void run(current, text)
    },
    settle(id: number, call: number, ok: boolean, text: string) {
      const invocation = running[id]
      if (!invocation) return
      current = invocation
      invocation.settle(call, ok, text)
    },
    timer(id: number, timer: number) {
      const invocation = running[id]
      if (!invocation) return
      current = invocation
      timers.due(invocation, timer)
    },
    cancel(id: number) {
      running[id]?.end()
    },
  }
  return (what, ...args) => {
    const entry = entries[what as keyof typeof entries] as (...args: unknown[]) => string | undefined
    // Applied and not spread: spreading asks Array.prototype for its iterator, which is the plugin's to replace.
    return apply(entry, undefined, args)
  }
}
