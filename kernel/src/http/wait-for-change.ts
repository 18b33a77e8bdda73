// Waits for something to become another than the client has: asked for again and again, for so long and no longer.
import { setTimeout as sleep } from 'node:timers/promises'

const everyMs = 400
/** Who comes when so many of his tenant wait is answered at once. */
const waitingPerTenant = 50

export interface Watching {
  /** What `read` gives last: when `isNew` says so, or after `waitMs`. */
  until<T>(tenant: string, read: () => Promise<T>, isNew: (found: T) => boolean, waitMs: number): Promise<T>
  /** Everybody is answered. */
  close(): Promise<void>
}

export function createWatching(): Watching {
  const waiting = new Map<string, number>()
  const ending = new AbortController()
  const { signal } = ending

  return {
    async until(tenant, read, isNew, waitMs) {
      const end = performance.now() + waitMs
      const count = waiting.get(tenant) ?? 0
      let found = await read()
      if (count >= waitingPerTenant) return found
      waiting.set(tenant, count + 1)
      try {
        while (!isNew(found) && performance.now() < end && !signal.aborted) {
          await sleep(Math.max(1, Math.min(everyMs, end - performance.now())), undefined, { signal }).catch(
            () => undefined,
          )
          found = await read()
        }
        return found
      } finally {
        const left = (waiting.get(tenant) ?? 1) - 1
        if (left > 0) waiting.set(tenant, left)
        else waiting.delete(tenant)
      }
    },
    async close() {
      ending.abort()
    },
  }
}
