// The process: settings, kernel, listening, and an orderly end on a signal.
import { constants } from 'node:os'
import pino from 'pino'
import { loadConfig } from './config.ts'
import { greeting } from './greeting.ts'
import { createKernel } from './kernel.ts'

/** A close that hangs must not keep the process: 10 s for requests, the rest for hosts and the database. */
const closeDeadlineMs = 20_000

/** One Ctrl-C can arrive twice: from the terminal and from npm, which passes on what it gets. */
const sameSignalMs = 500

/** The first signal closes. Another one, later than an echo of it, is of somebody who does not want to wait. */
function firstSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let first: number | undefined
    const heard = (signal: NodeJS.Signals) => {
      first ??= performance.now()
      resolve(signal)
      if (performance.now() - first > sameSignalMs) process.exit(128 + constants.signals[signal])
    }
    process.on('SIGINT', heard)
    process.on('SIGTERM', heard)
  })
}

async function main(): Promise<void> {
  const config = loadConfig()
  const log = pino({ level: config.logLevel }, pino.destination({ dest: 2, sync: false }))
  // A signal may come while the kernel is still starting: it is closed as soon as it has.
  const signalled = firstSignal()
  const kernel = await createKernel(config, log)
  try {
    const { url } = await kernel.listen()
    process.stdout.write(greeting(url, kernel.demo))
    log.info({ signal: await signalled }, 'closing')
  } finally {
    const deadline = setTimeout(() => {
      log.error('the kernel did not close in time')
      process.exit(1)
    }, closeDeadlineMs)
    await kernel.close()
    clearTimeout(deadline)
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`Plinth did not start. ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
})
