// Waits for something to become another than the client has: asked for again and again, for so long and no longer.
import { setTimeout as sleep } from 'node:timers/promises'

const everyMs = 400
/** Who comes when so many of his tenant wait is answered at once. */
const waitingPerTenant = 50

export interface Watching {
  /** What `read` gives last: when `isNew` says so, or after `waitMs`. */
  until<T>(tenant: string, read: () => Promise<T>, isNew: (found: T) => boolean, waitMs: number): Promise<T>
}

/** When the kernel closes, everybody is answered. */
export function createWatching(isClosing: () => boolean): Watching {
  const waiting = new Map<string, number>()

  return {
    async until(tenant, read, isNew, waitMs) {
      const end = performance.now() + waitMs
      const count = waiting.get(tenant) ?? 0
      let found = await read()
      if (count >= waitingPerTenant) return found
      waiting.set(tenant, count + 1)
      try {
        while (!isNew(found) && performance.now() < end && !isClosing()) {
          await sleep(Math.max(1, Math.min(everyMs, end - performance.now())))
          found = await read()
        }
        return found
      } finally {
        const left = (waiting.get(tenant) ?? 1) - 1
        if (left > 0) waiting.set(tenant, left)
        else waiting.delete(tenant)
      }
    },
  }
}
