// What a tenant's rows are, in one short text for each table: whatever another tenant does, it is the same afterwards.
import type pg from 'pg'
import type { Side } from './side.ts'

/** Written by the kernel by itself, some time after a request: no sign that somebody else did it. */
const writtenLater: Readonly<Record<string, readonly string[]>> = {
  'kernel.usage': ['*'],
  'kernel.audit_seal': ['*'],
  'kernel.api_key': ['last_used_at'],
  'kernel.outbox': ['dispatched_at', 'position'],
  'kernel.task': ['*'],
  'kernel.webhook_attempt': ['*'],
  'kernel.webhook_endpoint': ['failures', 'failing_since', 'held_until'],
  'kernel.mail': ['content', 'attempts', 'next_at', 'last_error', 'sent_at', 'dead_at'],
  'identity.session': ['updatedAt', 'expiresAt'],
}

interface Table {
  readonly name: string
  /** SQL: the rows of tenant $1, or of the people $2. */
  readonly condition: string
}

const byTenant = `t.tenant_id::text = $1`
const byPerson: Readonly<Record<string, string>> = { user: 'id', session: 'userId', account: 'userId' }

async function tablesOf(admin: pg.Client): Promise<Table[]> {
  const { rows } = await admin.query<{ schema: string; name: string; columns: string[] }>(
    `select n.nspname as schema, c.relname as name, array_agg(a.attname::text) as columns
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
       join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      where c.relkind in ('r', 'p') and not c.relispartition
        and (n.nspname in ('kernel', 'identity') or n.nspname like 'plugin\\_%')
      group by 1, 2 order by 1, 2`,
  )
  return rows.flatMap(({ schema, name, columns }): Table[] => {
    const full = `${schema}.${name}`
    if (writtenLater[full]?.includes('*')) return []
    if (columns.includes('tenant_id')) return [{ name: full, condition: byTenant }]
    if (full === 'kernel.tenant') return [{ name: full, condition: 't.id::text = $1' }]
    const person =
      schema === 'identity' ? (byPerson[name] ?? columns.find((one) => /^user_?id$/i.test(one))) : undefined
    return person === undefined ? [] : [{ name: full, condition: `t."${person}"::text = any($2)` }]
  })
}

export type Fingerprint = ReadonlyMap<string, string>

export type TakeFingerprint = (side: Side) => Promise<Fingerprint>

export async function fingerprints(admin: pg.Client): Promise<TakeFingerprint> {
  const tables = await tablesOf(admin)
  const parts = tables.map(({ name, condition }) => {
    const [schema = '', table = ''] = name.split('.')
    const later = (writtenLater[name] ?? []).map((column) => ` - '${column}'`).join('')
    return `select '${name}' as name, count(*) || ' ' ||
        md5(coalesce(string_agg(hash, '' order by hash), '')) as print
      from (select md5((to_jsonb(t)${later})::text) as hash from ${schema}."${table}" t where ${condition}) rows`
  })
  // Both parameters are named in every case, so that their types are known.
  const text = `${parts.join('\nunion all ')}\nunion all select 'nothing', $1::text || cardinality($2::text[])`
  return async (side) => {
    const people = side.people.map(({ id }) => id)
    const { rows } = await admin.query<{ name: string; print: string }>(text, [side.id, people])
    return new Map(rows.map(({ name, print }) => [name, print]))
  }
}

/** The tables whose rows are other ones now. */
export const changedTables = (before: Fingerprint, after: Fingerprint): string[] =>
  [...after].flatMap(([name, print]) =>
    before.get(name) === print
      ? []
      : [`${name} (${before.get(name)?.split(' ')[0]} rows, now ${print.split(' ')[0]})`],
  )
