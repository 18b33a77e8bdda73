// Writing a tenant's chains. Whoever may say who agrees decides what gets by unseen: every change is in the audit trail.
import { randomUUIDv7 } from 'node:crypto'
import type { Condition, Step } from './chain.ts'

export interface ChainValues {
  readonly code: string
  readonly title: string
  readonly module: string
  readonly entity: string
  readonly action: string
  readonly active: boolean
  readonly rank: number
  readonly when: Condition
  readonly steps: readonly Step[]
}

export interface KeptChain extends ChainValues {
  readonly id: string
  readonly version: number
  readonly createdAt: string
  readonly createdBy: string
  readonly updatedAt: string
  readonly updatedBy: string
}

interface ChainRow extends Omit<ChainValues, 'when'> {
  id: string
  version: number
  conditions: Condition
  created_at: Date
  created_by: string
  updated_at: Date
  updated_by: string
}

/** The part of a control transaction that is needed here. */
export interface Rows {
  query<Row extends object>(text: string, values: readonly unknown[]): Promise<readonly Row[]>
}

const columns = `id, version, code, title, module, entity, action, active, rank, conditions, steps,
  created_at, created_by, updated_at, updated_by`

const chainOf = ({
  conditions,
  created_at,
  created_by,
  updated_at,
  updated_by,
  ...row
}: ChainRow): KeptChain => ({
  ...row,
  when: conditions,
  createdAt: created_at.toISOString(),
  createdBy: created_by,
  updatedAt: updated_at.toISOString(),
  updatedBy: updated_by,
})

export async function listChains(
  rows: Rows,
  tenant: string,
  page: { readonly limit: number; readonly cursor?: string | undefined },
): Promise<{ items: KeptChain[]; cursor?: string }> {
  const found = await rows.query<ChainRow>(
    `SELECT ${columns} FROM kernel.approval_chain WHERE tenant_id = $1 AND code > $2 ORDER BY code LIMIT $3`,
    [tenant, page.cursor ?? '', page.limit + 1],
  )
  const items = found.slice(0, page.limit).map(chainOf)
  const last = items.at(-1)
  return found.length > page.limit && last ? { items, cursor: last.code } : { items }
}

/** Locked until the transaction ends. */
export async function readChain(rows: Rows, tenant: string, id: string): Promise<KeptChain | undefined> {
  const [row] = await rows.query<ChainRow>(
    `SELECT ${columns} FROM kernel.approval_chain WHERE tenant_id = $1 AND id = $2 FOR UPDATE`,
    [tenant, id],
  )
  return row && chainOf(row)
}

const valuesOf = (chain: ChainValues): readonly unknown[] => [
  chain.code,
  chain.title,
  chain.module,
  chain.entity,
  chain.action,
  chain.active,
  chain.rank,
  JSON.stringify(chain.when),
  JSON.stringify(chain.steps),
]

/** Undefined when another has the code. */
export async function addChain(
  rows: Rows,
  tenant: string,
  actor: string,
  chain: ChainValues,
): Promise<KeptChain | undefined> {
  const [row] = await rows.query<ChainRow>(
    `INSERT INTO kernel.approval_chain (tenant_id, id, created_by, updated_by, code, title, module, entity, action,
       active, rank, conditions, steps)
     VALUES ($1, $2, $3, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
     ON CONFLICT (tenant_id, code) DO NOTHING RETURNING ${columns}`,
    [tenant, randomUUIDv7(), actor, ...valuesOf(chain)],
  )
  return row && chainOf(row)
}

/** Undefined when another has the code. */
export async function replaceChain(
  rows: Rows,
  tenant: string,
  actor: string,
  id: string,
  chain: ChainValues,
): Promise<KeptChain | undefined> {
  const taken = await rows.query(
    'SELECT id FROM kernel.approval_chain WHERE tenant_id = $1 AND code = $2 AND id <> $3',
    [tenant, chain.code, id],
  )
  if (taken.length > 0) return undefined
  const [row] = await rows.query<ChainRow>(
    `UPDATE kernel.approval_chain SET version = version + 1, updated_at = now(), updated_by = $3, code = $4, title = $5,
       module = $6, entity = $7, action = $8, active = $9, rank = $10, conditions = $11, steps = $12
     WHERE tenant_id = $1 AND id = $2 RETURNING ${columns}`,
    [tenant, id, actor, ...valuesOf(chain)],
  )
  return row && chainOf(row)
}

export async function removeChain(rows: Rows, tenant: string, id: string): Promise<void> {
  await rows.query('DELETE FROM kernel.approval_chain WHERE tenant_id = $1 AND id = $2', [tenant, id])
}
