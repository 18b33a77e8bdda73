// Events as the stream reads them: behind a position, in the order of positions. A position is given by one dispatcher at a
// time, which lets go only when what it did can be seen, so nothing ever appears behind what was read.
import type { Json } from '@plinth/sdk'
import type pg from 'pg'

export interface StoredEvent {
  /** Its place among all events of the installation; what comes later has a higher one. */
  readonly position: number
  readonly module: string
  /** Without its module: `order.shipped`. */
  readonly event: string
  readonly payload: Json
  /** The record it is about: `<module>.<entity>:<id>`. */
  readonly subject: string | null
  readonly at: Date
  /** Of the payload. */
  readonly bytes: number
}

interface Row {
  tenant_id: string
  position: string
  module: string
  event: string
  payload: Json
  subject: string | null
  at: Date
  bytes: number
}

/** Of payloads that are read at once: no event begins behind it. One of them may have 256 KB. */
export const pageBytes = 512 * 1024

/** SQL: what a tenant has behind a position, `most` events and `pageBytes` at most. All are expressions. */
const page = (tenant: string, position: string, most: string) => `
  SELECT tenant_id, place::text AS position, module, event, payload, subject, at, bytes FROM (
    SELECT found.*, sum(bytes) OVER (ORDER BY place) - bytes AS bytes_before FROM (
      SELECT o.tenant_id, o.position AS place, o.module, o.event, o.payload, o.subject, o.at,
             octet_length(o.payload::text) AS bytes
        FROM kernel.outbox o WHERE o.tenant_id = ${tenant} AND o.position > ${position}
       ORDER BY o.position LIMIT ${most}) found) summed
   WHERE bytes_before < ${pageBytes} ORDER BY place`

const eventOf = (row: Row): StoredEvent => ({
  position: Number(row.position),
  module: row.module,
  event: row.event,
  payload: row.payload,
  subject: row.subject,
  at: row.at,
  bytes: row.bytes,
})

/** Whether there may be more behind what was read. */
export const isFullPage = (events: readonly StoredEvent[], most: number): boolean =>
  events.length === most || events.reduce((sum, { bytes }) => sum + bytes, 0) >= pageBytes

/** The tenant's latest position; 0 before its first event. */
export async function headOf(pool: Pick<pg.Pool, 'query'>, tenant: string): Promise<number> {
  const { rows } = await pool.query<{ head: string }>(
    'SELECT coalesce(max(position), 0)::text AS head FROM kernel.outbox WHERE tenant_id = $1',
    [tenant],
  )
  return Number(rows[0]?.head ?? 0)
}

/** A page of them. */
export async function eventsAfter(
  pool: Pick<pg.Pool, 'query'>,
  tenant: string,
  position: number,
  most: number,
): Promise<StoredEvent[]> {
  const { rows } = await pool.query<Row>(page('$1', '$2', '$3'), [tenant, position, most])
  return rows.map(eventOf)
}

/** Of many tenants in one statement, a page of each. */
export async function eventsAfterEach(
  pool: Pick<pg.Pool, 'query'>,
  heads: ReadonlyMap<string, number>,
  most: number,
): Promise<Map<string, StoredEvent[]>> {
  const { rows } = await pool.query<Row>(
    `SELECT e.* FROM unnest($1::uuid[], $2::bigint[]) AS h (tenant_id, position)
      CROSS JOIN LATERAL (${page('h.tenant_id', 'h.position', '$3')}) e`,
    [[...heads.keys()], [...heads.values()], most],
  )
  const found = Map.groupBy(rows, (row) => row.tenant_id)
  return new Map([...found].map(([tenant, some]) => [tenant, some.map(eventOf)]))
}
