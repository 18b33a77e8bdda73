// Turns of the audit trail go up for ever, also where transactions are counted anew: in a database that was restored into
// another server from a dump. At every start, as the owner.
import type pg from 'pg'

const position = `
  with seals as (select coalesce(max(to_turn), 0) as last from kernel.audit_seal)
  select pg_current_xact_id()::text::bigint + kernel.audit_offset() as next,
         greatest((select last from seals),
                  (select coalesce(max(turn), 0) from kernel.audit where turn >= (select last from seals))) as last`

export async function continueAuditTurns(owner: pg.Client): Promise<void> {
  const { rows } = await owner.query<{ next: string; last: string }>(position)
  const [{ next, last } = { next: '0', last: '0' }] = rows
  // A seal ends at the turn of a transaction that is still under way: that one is allowed to come.
  if (BigInt(next) >= BigInt(last)) return
  const missing = BigInt(last) - BigInt(next) + 1n
  const { rows: kept } = await owner.query<{ offset: string }>('select kernel.audit_offset() as offset')
  const offset = BigInt(kept[0]?.offset ?? '0') + missing
  await owner.query(
    `create or replace function kernel.audit_offset() returns bigint
       language sql stable parallel safe as 'select ${offset}::bigint'`,
  )
}
