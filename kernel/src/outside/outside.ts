// The outside as the broker is lent it: the engine, the secrets, and the counts that keep one tenant's module and the
// whole process within bounds. How often and how much one request may fetch is the governor's to say.
import { allStand, type DefencesOff } from '../defences.ts'
import { errors } from '../errors.ts'
import type { Fetcher } from './fetcher.ts'
import type { ModuleSecrets } from './module-secrets.ts'

export interface Outside {
  readonly fetcher: Fetcher
  readonly secrets: Pick<ModuleSecrets, 'read'>
  readonly off: DefencesOff
  /**
   * Runs one fetch of a module for a tenant. `request` is the same object for all fetches of one request.
   * @throws FETCH_BUSY
   */
  inTurn<T>(asker: Asker, fetch: (spent: Spent) => Promise<T>): Promise<T>
}

export interface Asker {
  readonly request: object
  readonly tenant: string
  readonly module: string
}

/** What one request has spent outside so far. */
export interface Spent {
  /** While its transaction was open. */
  heldMs: number
}

export const outsideLimits = Object.freeze({
  /** Under way at once: of one tenant in one module, and of the process. */
  atOnce: 10,
  atOnceInAll: 100,
})

export function createOutside(
  parts: { readonly fetcher: Fetcher; readonly secrets: Pick<ModuleSecrets, 'read'> },
  off: DefencesOff = allStand,
): Outside {
  // By the object that stands for a request, so that the counts end with it.
  const requests = new WeakMap<object, Spent>()
  const underWay = new Map<string, number>()
  let inAll = 0

  function spentBy(request: object): Spent {
    const known = requests.get(request) ?? { heldMs: 0 }
    requests.set(request, known)
    return known
  }

  return {
    ...parts,
    off,
    async inTurn({ request, tenant, module }, fetch) {
      const spent = spentBy(request)
      const key = JSON.stringify([tenant, module])
      const now = underWay.get(key) ?? 0
      if (now >= outsideLimits.atOnce || inAll >= outsideLimits.atOnceInAll)
        throw errors.fetchBusy({ module })
      underWay.set(key, now + 1)
      inAll += 1
      try {
        return await fetch(spent)
      } finally {
        inAll -= 1
        const left = (underWay.get(key) ?? 1) - 1
        if (left === 0) underWay.delete(key)
        else underWay.set(key, left)
      }
    },
  }
}
