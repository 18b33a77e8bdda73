// A worker of BullMQ that outlasts its store. One that began while the store was away remembers that for good, and asks in
// a circle that lets nothing else in the process happen; one whose store refuses to answer asks again without a pause.
import { setTimeout as sleep } from 'node:timers/promises'
import type { BackendFactory, IQueueBackend, Worker } from 'bullmq'

type Factory = BackendFactory<IQueueBackend, never>

const pauseMs = 1_000
const longestPauseMs = 30_000

/** What the factory makes, except that a worker whose store fails asks again after a pause. */
export const pausingBackend =
  (factory: Factory): Factory =>
  (...of) => {
    const backend = factory(...of)
    const moveToActive = backend.moveToActive.bind(backend)
    backend.moveToActive = async (...asked) => {
      try {
        return await moveToActive(...asked)
      } catch (error) {
        await sleep(pauseMs)
        throw error
      }
    }
    return backend
  }

export interface TurnWorker {
  /** Resolves when what is under way has ended. */
  close(): Promise<void>
}

/** `make` makes a worker that does not run yet. `failed` hears why one could not begin; another is made then. */
export function startTurnWorker(make: () => Worker, failed: (error: unknown) => void): TurnWorker {
  const ended = new AbortController()
  let worker: Worker | undefined

  async function begin(): Promise<void> {
    for (let pause = pauseMs; !ended.signal.aborted; pause = Math.min(pause * 2, longestPauseMs)) {
      const next = make()
      worker = next
      try {
        await next.waitUntilReady()
        if (!ended.signal.aborted) next.run().catch(failed)
        return
      } catch (error) {
        failed(error)
        await next.close().catch(failed)
        await sleep(pause, undefined, { signal: ended.signal }).catch(() => undefined)
      }
    }
  }

  begin().catch(failed)
  return {
    async close() {
      ended.abort()
      await worker?.close()
    },
  }
}
