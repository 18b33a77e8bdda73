// What an operator holds back: the tasks of one module, of one tenant, or of one in the other. Those that run end; none
// starts before the pause is taken away.
import { randomUUID } from 'node:crypto'
import { errors } from '../errors.ts'
import type { ControlTransaction } from '../tenants/control-transaction.ts'

export interface Pause {
  readonly id: string
  /** Id; absent: every tenant. */
  readonly tenant?: string
  /** Absent: every module. */
  readonly module?: string
  readonly reason?: string
  readonly pausedBy: string
  readonly pausedAt: string
}

interface Row {
  id: string
  tenant_id: string | null
  module: string | null
  reason: string | null
  paused_by: string
  paused_at: Date
}

const pauseOf = (row: Row): Pause => ({
  id: row.id,
  ...(row.tenant_id === null ? {} : { tenant: row.tenant_id }),
  ...(row.module === null ? {} : { module: row.module }),
  ...(row.reason === null ? {} : { reason: row.reason }),
  pausedBy: row.paused_by,
  pausedAt: row.paused_at.toISOString(),
})

/** More than anybody has reason to keep in mind. */
const most = 1_000

export const listPauses = async (tx: Pick<ControlTransaction, 'query'>): Promise<Pause[]> =>
  (await tx.query<Row>('SELECT * FROM kernel.task_pause ORDER BY paused_at, id', [])).map(pauseOf)

/** The pause that is there already, where there is one. @throws TOO_MANY_PAUSES */
export async function pause(
  tx: ControlTransaction,
  of: { readonly tenant?: string; readonly module?: string; readonly reason?: string },
  by: string,
): Promise<{ readonly pause: Pause; readonly isNew: boolean }> {
  const [added] = await tx.query<Row>(
    `INSERT INTO kernel.task_pause (id, tenant_id, module, reason, paused_by)
     SELECT $1, $2, $3, $4, $5 WHERE (SELECT count(*) FROM kernel.task_pause) < ${most}
     ON CONFLICT (tenant_id, module) DO NOTHING RETURNING *`,
    [randomUUID(), of.tenant ?? null, of.module ?? null, of.reason ?? null, by],
  )
  if (added) return { pause: pauseOf(added), isNew: true }
  const [found] = await tx.query<Row>(
    'SELECT * FROM kernel.task_pause WHERE tenant_id IS NOT DISTINCT FROM $1 AND module IS NOT DISTINCT FROM $2',
    [of.tenant ?? null, of.module ?? null],
  )
  if (!found) throw errors.tooManyPauses({ most })
  return { pause: pauseOf(found), isNew: false }
}

/** @throws PAUSE_NOT_FOUND */
export async function resume(tx: ControlTransaction, id: string): Promise<Pause> {
  const [row] = await tx.query<Row>('DELETE FROM kernel.task_pause WHERE id = $1 RETURNING *', [id])
  if (!row) throw errors.pauseNotFound({ pause: id })
  return pauseOf(row)
}
