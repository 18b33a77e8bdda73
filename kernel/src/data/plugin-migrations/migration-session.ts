// The owner's connection while it migrates one plugin: one migration of a plugin at a time, statements that share a
// transaction as long as they can, and locks that are given up rather than waited for.
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'

export interface MigrationPace {
  /** How long a statement may wait for a lock, and everybody behind it with it. */
  readonly lockTimeoutMs: number
  /** After this long without getting its locks the migration is given up. */
  readonly lockDeadlineMs: number
}

export const usualPace: MigrationPace = { lockTimeoutMs: 500, lockDeadlineMs: 60_000 }

export interface MigrationSession {
  readonly owner: pg.Client
  /** Begins a transaction unless there is one. */
  inside<T>(work: () => Promise<T>): Promise<T>
  /** Commits what there is first: for what cannot run in a transaction, or must be seen by others. */
  outside<T>(work: () => Promise<T>): Promise<T>
}

/** One migration of a plugin at a time; the lock of the bootstrap has one number, this one has two. */
const pluginLock = 1
const turnDeadlineMs = 10 * 60_000
/** An index on a large table takes its time; it is in nobody's way. */
const patient = "set lock_timeout = '30s'; set statement_timeout = '1h'"

/** Asks again and again instead of waiting in PostgreSQL: a waiting statement would hold up concurrent index builds. */
export async function withPluginLock<T>(
  owner: pg.Client,
  plugin: string,
  work: () => Promise<T>,
): Promise<T> {
  const deadline = Date.now() + turnDeadlineMs
  for (let waitMs = 20; ; waitMs = Math.min(waitMs * 2, 1_000)) {
    const { rows } = await owner.query<{ mine: boolean }>(
      'select pg_try_advisory_lock($1, hashtext($2)) as mine',
      [pluginLock, plugin],
    )
    if (rows[0]?.mine) break
    if (Date.now() > deadline)
      throw new Error(
        `Another process has been migrating the plugin '${plugin}' for ${turnDeadlineMs / 60_000} minutes.`,
      )
    await sleep(waitMs)
  }
  try {
    return await work()
  } finally {
    // On a connection that broke, the lock is gone as well.
    await owner
      .query('select pg_advisory_unlock($1, hashtext($2))', [pluginLock, plugin])
      .catch(() => undefined)
  }
}

/**
 * Runs `work` until it gets its locks, from its last commit on: what it does must be safe to repeat. `beforeCommit` runs
 * at the end of every transaction and may refuse it.
 */
export async function withMigrationSession<T>(
  owner: pg.Client,
  pace: MigrationPace,
  beforeCommit: () => Promise<void>,
  work: (session: MigrationSession) => Promise<T>,
): Promise<T> {
  const deadline = Date.now() + pace.lockDeadlineMs
  await endWithUs(owner)
  try {
    for (let waitMs = 50; ; waitMs = Math.min(waitMs * 2, 2_000)) {
      try {
        return await attempt(owner, pace, beforeCommit, work)
      } catch (error) {
        if (!lacksLock(error) || Date.now() + waitMs > deadline) throw error
        await sleep(waitMs)
      }
    }
  } finally {
    await owner
      .query('reset lock_timeout; reset statement_timeout; reset client_connection_check_interval')
      .catch(() => undefined)
  }
}

async function attempt<T>(
  owner: pg.Client,
  pace: MigrationPace,
  beforeCommit: () => Promise<void>,
  work: (session: MigrationSession) => Promise<T>,
): Promise<T> {
  let open = false
  const commit = async () => {
    if (!open) return
    await beforeCommit()
    await owner.query('commit')
    open = false
  }
  const session: MigrationSession = {
    owner,
    async inside(step) {
      if (!open) {
        await owner.query(`set lock_timeout = ${pace.lockTimeoutMs}; set statement_timeout = '60s'`)
        await owner.query('begin')
        open = true
      }
      return step()
    },
    async outside(step) {
      await commit()
      await owner.query(patient)
      return step()
    },
  }
  try {
    const result = await work(session)
    await commit()
    return result
  } catch (error) {
    if (open) await owner.query('rollback').catch(() => undefined)
    throw error
  }
}

/** Without it PostgreSQL goes on waiting for a process that was killed, and keeps what it had locked. */
export async function endWithUs(client: pg.Client): Promise<void> {
  await client.query("set client_connection_check_interval = '1s'").catch((error: unknown) => {
    // Not every system can tell.
    if (!(error instanceof pg.DatabaseError)) throw error
  })
}

/** Also what lost a deadlock: it held locks that somebody waited for. */
function lacksLock(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return error.code === '55P03' || error.code === '40P01'
  return error instanceof Error && error.cause !== undefined && lacksLock(error.cause)
}
