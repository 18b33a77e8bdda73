// Duties on a record: who did one of a pair on it does not do the other. What was done is asked of the audit trail, once
// the record is locked, so that whoever did the other meanwhile has committed it.
import { LRUCache } from 'lru-cache'
import type pg from 'pg'
import type { ChangeFeed } from '../data/change-feed.ts'
import { fromDatabase } from '../data/database-failure.ts'
import { allStand, type DefencesOff } from '../defences.ts'
import { errors } from '../errors.ts'
import { type Duty, dutiesOf } from './duty-conflicts.ts'

export interface RecordAct {
  readonly tenant: string
  readonly module: string
  readonly entity: string
  readonly verb: string
  readonly record: { readonly id: string; readonly createdBy: string }
  /** Who acts, and in whose name. */
  readonly people: readonly string[]
}

export interface DutyGuard {
  /** Whether any duty of the tenant is about this. */
  concerns(act: Omit<RecordAct, 'record' | 'people'>): Promise<boolean>
  /** @throws DUTY_CONFLICT when one of the people did the other of a pair on the record */
  refuse(act: RecordAct): Promise<void>
}

const keptTenants = 10_000
const none: readonly Duty[] = []

export function createDutyGuard(pool: pg.Pool, feed: ChangeFeed, off: DefencesOff = allStand): DutyGuard {
  const kept = new LRUCache<string, readonly Duty[]>({ max: keptTenants })
  let changes = 0
  feed.onChange(({ kind, id }) => {
    if (kind !== 'all' && kind !== 'access') return
    changes += 1
    if (kind === 'all') kept.clear()
    else kept.delete(id)
  })
  const query = async <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[]) =>
    (await fromDatabase(() => pool.query<Row>(text, [...values]))).rows

  async function recordDuties(tenant: string): Promise<readonly Duty[]> {
    const known = kept.get(tenant)
    if (known) return known
    const before = changes
    const duties = (await dutiesOf({ query }, tenant)).filter(({ within }) => within === 'record')
    if (feed.isLive() && before === changes) kept.set(tenant, duties)
    return duties
  }

  async function dutiesAbout({ tenant, module, entity, verb }: Omit<RecordAct, 'record' | 'people'>) {
    if (off.has('recordDuties')) return none
    const name = `${module}.${entity}.${verb}`
    const duties = await recordDuties(tenant)
    return duties.length === 0
      ? none
      : duties.filter(({ first, second }) => first === name || second === name)
  }

  return {
    concerns: async (act) => (await dutiesAbout(act)).length > 0,
    async refuse(act) {
      const { tenant, module, entity, verb, record, people } = act
      const name = `${module}.${entity}.${verb}`
      for (const { title, first, second } of await dutiesAbout(act)) {
        const other = (first === name ? second : first).slice(`${module}.${entity}.`.length)
        const made = other === 'create' && people.includes(record.createdBy)
        const [done] = made
          ? [{}]
          : await query(
              `SELECT 1 FROM kernel.audit WHERE tenant_id = $1 AND module = $2 AND entity = $3 AND record_id = $4
                  AND action = $5 AND (actor = ANY ($6) OR on_behalf_of = ANY ($6)) LIMIT 1`,
              [tenant, module, entity, record.id, other, people],
            )
        if (done)
          throw errors.dutyConflict({ duty: title, first, second, permission: name, record: record.id })
      }
    },
  }
}
