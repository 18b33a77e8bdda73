// Looks names up, a few at a time. A lookup holds one of the four threads that files, passwords and decompression need
// too, for as long as a name server likes, and nothing can take it back: without a bound, four slow names stop the kernel.
import type { World } from './world.ts'

/** Of the four threads. */
const usualAtOnce = 2

/** Rejects with the signal's reason; who waits for his turn when that comes has lost it, a lookup that began goes on. */
export type BoundedLookup = (name: string, signal: AbortSignal) => Promise<readonly string[]>

export function boundedLookup(world: World, lookupsAtOnce = usualAtOnce): BoundedLookup {
  // As long as there are fetches that have not ended, and those are bounded by `outside.ts`.
  const waiting = new Set<() => void>()
  let underWay = 0

  const next = () => {
    underWay -= 1
    const [start] = waiting
    start?.()
  }

  return (name, signal) =>
    new Promise((resolve, reject) => {
      const stop = () => {
        waiting.delete(start)
        reject(signal.reason)
      }
      const start = () => {
        waiting.delete(start)
        underWay += 1
        world
          .lookup(name)
          .then(resolve, reject)
          .finally(() => {
            signal.removeEventListener('abort', stop)
            next()
          })
      }
      if (signal.aborted) return stop()
      signal.addEventListener('abort', stop, { once: true })
      if (underWay < lookupsAtOnce) start()
      else waiting.add(start)
    })
}
