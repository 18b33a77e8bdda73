// The tasks that this process has in hand, and that it says so again and again: else another takes them for lost.
import type pg from 'pg'
import type { Logger } from 'pino'
import { repeat } from '../tenants/repeat.ts'
import type { Task } from './task.ts'

const renew = `
  UPDATE kernel.task SET lease_until = now() + $3 * interval '1 millisecond'
   WHERE worker = $1 AND state = 'running' AND id = ANY($2)`

export interface Leases {
  /** While `work` lasts. */
  holding<T>(tasks: readonly Task[], work: () => Promise<T>): Promise<T>
  close(): Promise<void>
}

export function startLeases(
  pool: Pick<pg.Pool, 'query'>,
  worker: string,
  lease: number,
  log: Logger,
): Leases {
  const held = new Set<number>()
  const renewing = repeat(
    'leases of tasks',
    async () => {
      if (held.size === 0) return
      await pool.query(renew, [worker, [...held], lease])
    },
    log,
    lease / 3,
  )
  return {
    async holding(tasks, work) {
      for (const { id } of tasks) held.add(id)
      try {
        return await work()
      } finally {
        for (const { id } of tasks) held.delete(id)
      }
    },
    close: () => renewing.close(),
  }
}
