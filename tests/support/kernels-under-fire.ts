// Kernel processes on one database of which some are killed now and then, hosts of plugins and stores too: who is hit, and
// when, is drawn from a seed.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../isolation/hunt/random.ts'
import type { Send } from './kernel.ts'
import { type KernelProcess, startKernelProcess } from './kernel-process.ts'
import type { MortalStore } from './mortal-stores.ts'
import type { ProcessTenant } from './operated-processes.ts'
import { kill, processesBelow } from './processes-below.ts'

export interface FireOptions {
  readonly environment: Readonly<Record<string, string>>
  readonly kernels: number
  readonly random: Random
  /** By name. */
  readonly stores: Readonly<Record<string, MortalStore>>
}

export interface KernelsUnderFire {
  /** One that lives. */
  url(): Promise<string>
  /** At whichever kernel lives; rejects when it dies meanwhile. */
  send(tenant: ProcessTenant): Send
  /** Kills something, and sees to it that it stands up again; then something else, until the signal comes. */
  fire(pauseMs: number, signal: AbortSignal): Promise<Readonly<Record<string, number>>>
  /** What the kernels that live have logged. */
  output(): string
}

interface Ending {
  teardown(work: () => Promise<unknown>): void
}

const startTries = 20
/** A host that ends more often is left alone by its kernel for a while, which is another test. */
const hostStrikesPerMinute = 2

export async function kernelsUnderFire(t: Ending, options: FireOptions): Promise<KernelsUnderFire> {
  const { environment, random, stores } = options
  // What starts while a store is down ends again, as a supervisor would see.
  async function start(): Promise<KernelProcess> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await startKernelProcess(t, environment)
      } catch (error) {
        if (tries === startTries) throw error
        await sleep(250)
      }
    }
  }
  const kernels: (KernelProcess | undefined)[] = []
  for (let n = 0; n < options.kernels; n += 1) kernels.push(await start())
  const living = () => kernels.filter((one) => one !== undefined)
  /** Those that stand up again. */
  const rising = new Set<Promise<void>>()

  async function url(): Promise<string> {
    for (;;) {
      const one = random.pick(living())
      if (one) return one.url
      await sleep(20)
    }
  }

  async function strikeKernel(): Promise<boolean> {
    const at = random.int(kernels.length)
    const victim = kernels[at]
    if (!victim || living().length === 1) return false
    kernels[at] = undefined
    await victim.end('SIGKILL')
    const again = start().then((kernel) => {
      kernels[at] = kernel
      rising.delete(again)
    })
    rising.add(again)
    return true
  }

  const hostStrikes: number[] = []
  async function strikeHost(): Promise<boolean> {
    const now = Date.now()
    if (hostStrikes.filter((at) => now - at < 60_000).length >= hostStrikesPerMinute) return false
    const pid = random.pick(await processesBelow(random.pick(living())?.child.pid ?? 0))
    if (pid === undefined) return false
    kill(pid)
    hostStrikes.push(now)
    return true
  }

  return {
    url,
    send: (tenant) => async (method, path, body, headers) =>
      tenant.at(await url())(method, path, body, headers),
    async fire(pauseMs, signal) {
      const strikes: Record<string, number> = {}
      while (!signal.aborted) {
        await sleep(pauseMs * (0.5 + random.int(1_000) / 1_000), undefined, { signal }).catch(() => undefined)
        // On a slow machine nobody would ever stand up again, were everything hit that does.
        while (!signal.aborted && (living().length === 0 || (rising.size > 0 && !random.chance(0.1))))
          await sleep(pauseMs)
        if (signal.aborted) break
        const name = random.pick(['kernel', 'host', ...Object.keys(stores)]) ?? 'kernel'
        const store = stores[name]
        if (store) await store.strike()
        else if (!(name === 'host' ? await strikeHost() : await strikeKernel())) continue
        strikes[name] = (strikes[name] ?? 0) + 1
      }
      await Promise.all(rising)
      return strikes
    },
    output: () =>
      living()
        .map((one) => one.output())
        .join(''),
  }
}
