// CPU per tenant and module over time: what no limit of a single request can hold. Counted in windows of a minute that
// begin with the first use, in this process.
import { LRUCache } from 'lru-cache'
import { errors } from '../errors.ts'

const windowMs = 60_000
/** Pairs of tenant and module. One that is pushed out begins anew; it was the one idle for longest. */
const keptWindows = 50_000

/** The windows of one tenant. */
export interface CpuBudget {
  /** @throws LIMIT_EXCEEDED, with the seconds until the window ends */
  check(module: string): void
  add(module: string, ms: number): void
}

interface Window {
  readonly startedAt: number
  cpuMs: number
}

/** `capOf` says what the tenant may use in a module; `now` in ms. */
export type CpuBudgets = (tenant: string, capOf: (module: string) => number) => CpuBudget

export function createCpuBudgets(now: () => number = () => performance.now()): CpuBudgets {
  const windows = new LRUCache<string, Window>({ max: keptWindows })

  function windowOf(tenant: string, module: string): Window {
    const key = `${tenant} ${module}`
    const known = windows.get(key)
    if (known && now() - known.startedAt < windowMs) return known
    const fresh = { startedAt: now(), cpuMs: 0 }
    windows.set(key, fresh)
    return fresh
  }

  return (tenant, capOf) => ({
    check(module) {
      const { cpuMs, startedAt } = windowOf(tenant, module)
      const cap = capOf(module)
      if (cpuMs < cap) return
      const retryAfter = Math.max(1, Math.ceil((startedAt + windowMs - now()) / 1_000))
      const used = Math.round(cpuMs)
      throw errors.limitExceeded({ module, limit: 'cpuPerMinute', used, cap, retryAfter })
    },
    add(module, ms) {
      windowOf(tenant, module).cpuMs += ms
    },
  })
}
