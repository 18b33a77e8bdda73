// Rejections nobody handles in plugin code that runs in process. Node would end the kernel for them; here they are the
// failure of the invocation whose entry left them, as they are in an isolate.
import { AsyncLocalStorage } from 'node:async_hooks'

type OnStray = (reason: unknown) => void

export class StrayRejections {
  readonly #entries = new AsyncLocalStorage<OnStray>()

  /** Runs an entry into a realm; what it leaves behind is told before the next `setImmediate`. */
  during<T>(onStray: OnStray, entry: () => T): T {
    return this.#entries.run(onStray, entry)
  }

  /** From now on; what comes back ends it. */
  listen(): () => void {
    process.on('unhandledRejection', this.#hear)
    return () => process.off('unhandledRejection', this.#hear)
  }

  #hear = (reason: unknown, promise: Promise<unknown>): void => {
    // A promise of another realm is a plugin's: the kernel makes none there.
    if (!(promise instanceof Promise)) this.#entries.getStore()?.(reason)
    // The kernel's own: what Node does when nobody listens.
    else if (process.listeners('unhandledRejection')[0] === this.#hear) throw reason
  }
}
