// Starts the server of a data folder, or attaches to the one that serves it already, and stops it.

import { spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, renameSync } from 'node:fs'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Places } from './data-folder.ts'
import type { OsAccount } from './os-account.ts'
import type { PostgresBinaries } from './postgres-binaries.ts'
import { type Postmaster, removeForeignFile, runningPostmaster } from './postmaster-file.ts'
import { asAccount } from './run-program.ts'

const startTries = 3
const stopStepMs = 5_000

export async function attachOrStart(
  binaries: PostgresBinaries,
  places: Places,
  account: OsAccount,
  settings: Readonly<Record<string, string>>,
  deadlineMs: number,
): Promise<{ postmaster: Postmaster; reused: boolean }> {
  const deadline = Date.now() + deadlineMs
  if (runningPostmaster(places.data)) {
    const postmaster = await waitReady(places, deadline, () => runningPostmaster(places.data) !== undefined)
    if (postmaster) return { postmaster, reused: true }
  }
  for (let attempt = 1; ; attempt++) {
    const child = await launch(binaries, places, account, settings)
    const postmaster = await waitReady(places, deadline, child.isRunning)
    if (postmaster) return { postmaster, reused: postmaster.pid !== child.pid }
    if (attempt === startTries || Date.now() > deadline) {
      const tail = readFileSync(places.log, 'utf8').split('\n').slice(-12).join('\n')
      throw new Error(`The embedded PostgreSQL did not start. The end of ${places.log}:\n${tail}`)
    }
  }
}

interface Launched {
  readonly pid: number | undefined
  isRunning(): boolean
}

async function launch(
  binaries: PostgresBinaries,
  places: Places,
  account: OsAccount,
  settings: Readonly<Record<string, string>>,
): Promise<Launched> {
  removeForeignFile(places.data)
  if (existsSync(places.log)) renameSync(places.log, `${places.log}.previous`)
  const output = openSync(places.log, 'a', 0o600)
  const listen = ['-p', String(await freePort()), '-c', 'listen_addresses=127.0.0.1']
  const quiet = ['-c', 'unix_socket_directories=', '-c', 'logging_collector=off']
  const extra = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  try {
    const child = spawn(binaries.postgres, ['-D', places.data, ...listen, ...quiet, ...extra], {
      ...asAccount(account),
      detached: true,
      stdio: ['ignore', output, output],
    })
    let running = true
    const ended = () => {
      running = false
    }
    child.on('exit', ended)
    child.on('error', ended)
    child.unref()
    return { pid: child.pid, isRunning: () => running }
  } finally {
    closeSync(output)
  }
}

async function waitReady(
  places: Places,
  deadline: number,
  stillHoping: () => boolean,
): Promise<Postmaster | undefined> {
  for (;;) {
    const postmaster = runningPostmaster(places.data)
    if (postmaster?.ready) return postmaster
    if (Date.now() > deadline || (!stillHoping() && !postmaster)) return undefined
    await sleep(15)
  }
}

export async function stopPostmaster(places: Places, pid: number): Promise<void> {
  // Fast, immediate, and at last by force: PostgreSQL recovers from its log at the next start.
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    if (runningPostmaster(places.data)?.pid !== pid) break
    process.kill(pid, signal)
    const deadline = Date.now() + stopStepMs
    while (runningPostmaster(places.data)?.pid === pid && Date.now() < deadline) await sleep(15)
  }
}

function freePort(): Promise<number> {
  return new Promise((found, failed) => {
    const server = createServer()
    server.on('error', failed)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => found(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
