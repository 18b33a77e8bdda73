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
  const kernel = await createKernel(config, log)

  let closing: Promise<void> | undefined
  const close = (signal: NodeJS.Signals) => {
    if (closing) return
    log.info({ signal }, 'closing')
    const deadline = setTimeout(() => {
      log.error('the kernel did not close in time')
      process.exit(1)
    }, closeDeadlineMs)
    closing = kernel.close().then(
      () => {
        clearTimeout(deadline)
        process.exitCode = 0
      },
      (error: unknown) => {
        log.error({ err: error }, 'closing failed')
        process.exit(1)
      },
    )
  }
  process.on('SIGINT', close)
  process.on('SIGTERM', close)

  const { url } = await kernel.listen()
  process.stdout.write(greeting(url, kernel.demo))
}

main().catch((error: unknown) => {
  process.stderr.write(`Plinth did not start. ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
})
