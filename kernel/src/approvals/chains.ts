// The chains of a tenant, as they are kept.
import type pg from 'pg'
import { fromDatabase } from '../data/database-failure.ts'
import type { Chain, Condition, Step } from './chain.ts'

interface ChainRow {
  id: string
  code: string
  title: string
  conditions: Condition
  steps: Step[]
}

/** The action that a chain is for. */
export interface ChainAction {
  readonly tenant: string
  readonly module: string
  readonly entity: string
  readonly action: string
}

/** Those that are active for an action, in the order in which they are tried. */
export async function chainsFor(pool: pg.Pool, action: ChainAction): Promise<readonly Chain[]> {
  const { rows } = await fromDatabase(() =>
    pool.query<ChainRow>(
      `SELECT id, code, title, conditions, steps FROM kernel.approval_chain
        WHERE tenant_id = $1 AND module = $2 AND entity = $3 AND action = $4 AND active ORDER BY rank, code`,
      [action.tenant, action.module, action.entity, action.action],
    ),
  )
  return rows.map(({ conditions, ...chain }) => ({ ...chain, when: conditions }))
}
