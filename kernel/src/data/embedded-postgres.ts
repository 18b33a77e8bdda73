// Runs the PostgreSQL that comes from npm, for whoever has no DATABASE_URL. It lives in its own process group
// (a Ctrl-C in the terminal must not end it before the kernel has closed) and outlives a kernel that was killed:
// the next start finds it and takes it over. We own DATA_DIR/postgres: data, password, log, keeper.

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import pg from 'pg'
import type { DataLog } from './data-log.ts'
import { adminName, choosePlaces, initialise } from './embedded/data-folder.ts'
import { postgresAccount } from './embedded/os-account.ts'
import { postgresBinaries } from './embedded/postgres-binaries.ts'
import { isAlive } from './embedded/postmaster-file.ts'
import { attachOrStart, stopPostmaster } from './embedded/start-postmaster.ts'

export interface EmbeddedPostgresOptions {
  readonly dataDir: string
  readonly log: DataLog
  /** Where a root-started kernel puts what PostgreSQL's account could not reach. Default /var/lib/plinth. */
  readonly reachableRoot?: string
  /** Server settings as for `postgres -c name=value`. */
  readonly settings?: Readonly<Record<string, string>>
  readonly startDeadlineMs?: number
}

export interface EmbeddedPostgres {
  /** The superuser's URL for the database `plinth`. */
  readonly adminUrl: string
  readonly port: number
  readonly pid: number
  /** Found running, not started by us. */
  readonly reused: boolean
  /** Fast shutdown with a deadline; leaves a server alone that another living kernel keeps. */
  stop(): Promise<void>
}

const database = 'plinth'
const startDeadlineMs = 30_000

export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const account = postgresAccount()
  const places = await choosePlaces(options, account)
  const binaries = await postgresBinaries(account, places.binaryCopy, options.log)
  if (!existsSync(places.data)) await initialise(binaries, places, account)
  const { postmaster, reused } = await attachOrStart(
    binaries,
    places,
    account,
    options.settings ?? {},
    options.startDeadlineMs ?? startDeadlineMs,
  )
  if (reused) options.log.info({ pid: postmaster.pid }, 'found the embedded PostgreSQL already running')
  const password = readFileSync(places.password, 'utf8').trim()
  const url = (name: string) => `postgres://${adminName}:${password}@127.0.0.1:${postmaster.port}/${name}`
  await createDatabaseOnce(url('postgres'))
  const kept = keep(places.keeper, reused)
  return {
    adminUrl: url(database),
    port: postmaster.port,
    pid: postmaster.pid,
    reused,
    async stop() {
      if (!kept) return
      await stopPostmaster(places, postmaster.pid)
      rmSync(places.keeper, { force: true })
    },
  }
}

/** One living kernel keeps the server and stops it; a keeper that was killed is succeeded by the next kernel. */
function keep(file: string, reused: boolean): boolean {
  if (reused) {
    const keeper = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0
    if (keeper > 0 && keeper !== process.pid && isAlive(keeper)) return false
  }
  writeFileSync(file, String(process.pid), { mode: 0o600 })
  return true
}

async function createDatabaseOnce(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  await client.connect()
  try {
    const found = await client.query('select from pg_database where datname = $1', [database])
    if (found.rowCount === 0) await client.query('create database plinth')
  } catch (error) {
    // Another kernel was faster: 42P04 when it had finished, 23505 when it was about to.
    const code = error instanceof pg.DatabaseError ? error.code : undefined
    if (code !== '42P04' && code !== '23505') throw error
  } finally {
    await client.end()
  }
}
