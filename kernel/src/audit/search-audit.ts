// What is looked for in a tenant's trail, newest first, a page at a time.

import type { Json } from '@plinth/sdk'
import type pg from 'pg'
import { errors } from '../errors.ts'

/** Each narrows; `from` and `to` are moments, and `to` is not in it. */
export interface AuditFilter {
  readonly from?: string
  readonly to?: string
  readonly actor?: string
  readonly module?: string
  readonly entity?: string
  readonly record?: string
  readonly action?: string
  readonly requestId?: string
}

type Values = Readonly<Record<string, Json>>

export interface AuditItem {
  readonly id: string
  readonly at: string
  /** `name` while there is such a person. */
  readonly actor: { readonly id: string; readonly name?: string }
  /** Whose right the actor used, where it was not his own. */
  readonly onBehalfOf?: string
  /** What he showed: `session`, `access` (a token of one), or `key:` and its id. */
  readonly via?: string
  readonly module: string
  readonly entity: string
  readonly record: string
  readonly action: string
  readonly before: Values | null
  readonly after: Values | null
  readonly requestId: string
  readonly traceId?: string
  readonly address?: string
  readonly agent?: string
}

export interface AuditPage {
  readonly items: AuditItem[]
  readonly cursor?: string
}

/** Where a page ends: turn and id of its last row. */
interface Place {
  readonly turn: string
  readonly id: string
}

export interface AuditRow {
  readonly turn: string
  readonly id: string
  readonly at: Date
  readonly actor: string
  readonly name: string | null
  readonly on_behalf_of: string | null
  readonly via: string | null
  readonly request_id: string
  readonly trace_id: string | null
  readonly address: string | null
  readonly agent: string | null
  readonly module: string
  readonly entity: string
  readonly record_id: string
  readonly action: string
  readonly before: Values | null
  readonly after: Values | null
}

export const auditColumns = `a.turn, a.id, a.at, a.actor, u.name, a.on_behalf_of, a.via, a.request_id, a.trace_id, a.address, a.agent,
  a.module, a.entity, a.record_id, a.action, a.before, a.after`

/** `kernel.audit` as `a`, with the actor's present name. */
export const auditSource = `kernel.audit a LEFT JOIN identity."user" u ON u.id = a.actor`

export function auditItem(row: AuditRow): AuditItem {
  return {
    id: row.id,
    at: row.at.toISOString(),
    actor: { id: row.actor, ...(row.name === null ? {} : { name: row.name }) },
    ...(row.on_behalf_of === null ? {} : { onBehalfOf: row.on_behalf_of }),
    ...(row.via === null ? {} : { via: row.via }),
    module: row.module,
    entity: row.entity,
    record: row.record_id,
    action: row.action,
    before: row.before,
    after: row.after,
    requestId: row.request_id,
    ...(row.trace_id === null ? {} : { traceId: row.trace_id }),
    ...(row.address === null ? {} : { address: row.address }),
    ...(row.agent === null ? {} : { agent: row.agent }),
  }
}

const cursorForm = /^\d{1,19}\.\d{1,19}$/

export const cursorOf = ({ turn, id }: Place): string => Buffer.from(`${turn}.${id}`).toString('base64url')

/** @throws CURSOR_INVALID */
export function placeOf(cursor: string): Place {
  const text = Buffer.from(cursor, 'base64url').toString()
  const [turn = '', id = ''] = text.split('.')
  const largest = 2n ** 63n
  if (!cursorForm.test(text) || BigInt(turn) >= largest || BigInt(id) >= largest)
    throw errors.cursorInvalid({})
  return { turn, id }
}

/** The page of `limit` rows at most, of which one more has been read if there are more. */
export function pageOf(rows: readonly AuditRow[], limit: number): AuditPage {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  const items = shown.map(auditItem)
  return rows.length > limit && last ? { items, cursor: cursorOf(last) } : { items }
}

/** Column and comparison of each filter. */
const comparisons: Readonly<Record<keyof AuditFilter, string>> = {
  from: 'a.at >=',
  to: 'a.at <',
  actor: 'a.actor =',
  module: 'a.module =',
  entity: 'a.entity =',
  record: 'a.record_id =',
  action: 'a.action =',
  requestId: 'a.request_id =',
}

const isFilter = (name: string): name is keyof AuditFilter => Object.hasOwn(comparisons, name)

export async function searchAudit(
  pool: Pick<pg.Pool, 'query'>,
  tenant: string,
  filter: AuditFilter,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string },
): Promise<AuditPage> {
  const after = cursor === undefined ? undefined : placeOf(cursor)
  const values: unknown[] = [tenant]
  const parameter = (value: unknown) => `$${values.push(value)}`
  const conditions = Object.entries(filter).flatMap(([name, value]) =>
    isFilter(name) && value !== undefined ? [`${comparisons[name]} ${parameter(value)}`] : [],
  )
  const { lowest, highest } = await turnsOf(pool, tenant, filter)
  if (lowest !== undefined) conditions.push(`a.turn >= ${parameter(lowest)}`)
  if (highest !== undefined) conditions.push(`a.turn < ${parameter(highest)}`)
  if (after) conditions.push(`(a.turn, a.id) < (${parameter(after.turn)}, ${parameter(after.id)})`)
  const { rows } = await pool.query<AuditRow>(
    `SELECT ${auditColumns} FROM ${auditSource}
      WHERE a.tenant_id = $1${conditions.map((one) => ` AND ${one}`).join('')}
      ORDER BY a.turn DESC, a.id DESC LIMIT ${parameter(limit + 1)}`,
    values,
  )
  return pageOf(rows, limit)
}

/**
 * Between which turns rows of the wanted time can be: rows are kept in the order of turns, and seals know the times of
 * theirs. So a week of two years ago is found without reading all that came since.
 */
async function turnsOf(
  pool: Pick<pg.Pool, 'query'>,
  tenant: string,
  { from, to }: AuditFilter,
): Promise<{ lowest?: string; highest?: string }> {
  if (from === undefined && to === undefined) return {}
  const { rows } = await pool.query<{
    end: string
    first: string | null
    last: string | null
    tail: boolean
  }>(
    `WITH s AS (SELECT from_turn, to_turn, first_at, last_at FROM kernel.audit_seal WHERE tenant_id = $1),
          e AS (SELECT coalesce(max(to_turn), 0) AS turn FROM s)
     SELECT e.turn AS end, (SELECT min(from_turn) FROM s WHERE last_at >= $2) AS first,
            (SELECT max(to_turn) FROM s WHERE first_at < $3) AS last,
            EXISTS (SELECT FROM kernel.audit a WHERE a.tenant_id = $1 AND a.turn >= e.turn AND a.at < $3) AS tail
       FROM e`,
    [tenant, from ?? '-infinity', to ?? 'infinity'],
  )
  const [found] = rows
  if (!found) return {}
  return {
    lowest: found.first ?? found.end,
    ...(found.tail || to === undefined ? {} : { highest: found.last ?? '0' }),
  }
}
