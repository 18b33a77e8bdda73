// Work that comes up now and then and that nobody asks for: again and again, one at a time, until it is closed.
import type { Logger } from 'pino'

const usualMs = 60_000

export interface Repeating {
  /** Does it now, unless it is under way. */
  wake(): void
  /** Resolves when what is under way has ended. */
  close(): Promise<void>
}

export function repeat(
  name: string,
  work: () => Promise<unknown>,
  log: Logger,
  everyMs = usualMs,
): Repeating {
  let underWay: Promise<void> | undefined
  let isClosed = false

  function wake(): void {
    if (underWay || isClosed) return
    underWay = work()
      .then(() => undefined)
      .catch((error: unknown) => log.warn({ err: error, work: name }, 'it is tried again later'))
      .finally(() => {
        underWay = undefined
      })
  }

  const timer = setInterval(wake, everyMs)
  timer.unref()
  return {
    wake,
    async close() {
      isClosed = true
      clearInterval(timer)
      await underWay
    },
  }
}
