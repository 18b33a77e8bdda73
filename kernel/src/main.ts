// The process: settings, kernel, listening, and an orderly end on a signal.
import pino from 'pino'
import { loadConfig } from './config.ts'
import { greeting } from './greeting.ts'
import { createKernel } from './kernel.ts'

/** A close that hangs must not keep the process: 10 s for requests, the rest for hosts and the database. */
const closeDeadlineMs = 20_000

async function main(): Promise<void> {
  const config = loadConfig()
  const log = pino({ level: config.logLevel }, pino.destination({ dest: 2, sync: false }))
  // A signal may come while the kernel is still starting: it is closed as soon as it has.
  const signalled = new Promise<NodeJS.Signals>((resolve) => {
    process.on('SIGINT', resolve)
    process.on('SIGTERM', resolve)
  })
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
