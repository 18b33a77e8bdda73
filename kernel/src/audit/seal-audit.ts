// One pass of the sealer: what every transaction that has ended has written is linked to its tenant's chain, in the order
// of turns. Nobody who writes waits for it. Why so: docs/decisions/0040.
import { type AuditKey, noSeal, rowDigest, sealHash } from './audit-digest.ts'
import { type AuditClient, readInBatches } from './read-in-batches.ts'

/** 'plaudit' in bytes, cut: one process seals or purges at a time. */
export const sealerLock = 0x7061_7564
/** Of one pass, but for those of one transaction, which stay together. */
const rowsAtOnce = 20_000

export interface Sealed {
  readonly rows: number
  /** Whose rows they are. */
  readonly tenants: readonly string[]
  /** Everything below has been sealed; what comes is above. */
  readonly upTo: bigint
  /** There is more to seal at once. */
  readonly isPart: boolean
  /** What the database says of itself: as far as the last seal that is there. */
  readonly found: bigint
}

interface Window {
  /** Turns, as texts: they may be longer than a number holds. */
  readonly sealed: string
  readonly ended: string
  readonly now: string
}

interface Digested {
  readonly tenant_id: string
  readonly at: string
  readonly digest: string
}

/** True when it is this transaction's turn to seal or purge. */
export async function lockSealer(client: AuditClient): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS locked', [
    sealerLock,
  ])
  return rows[0]?.locked === true
}

/**
 * Within a transaction at READ COMMITTED. Undefined when another process is at it.
 * @param floor what this process has seen sealed: below it nothing is sealed again, whatever has become of the seals. Who
 *   takes seals out of the database does not get them made anew over what he changed.
 */
export async function sealAudit(
  client: AuditClient,
  key: AuditKey,
  floor: bigint,
): Promise<Sealed | undefined> {
  if (!(await lockSealer(client))) return undefined
  const window = await windowOf(client)
  const found = BigInt(window.sealed)
  const from = found > floor ? found : floor
  const ended = BigInt(window.ended)
  if (ended <= from) return { rows: 0, tenants: [], upTo: from, isPart: false, found }
  const to = await cutShort(client, from, ended)
  const sealed = await sealWindow(client, key, from, to, window.now)
  return { ...sealed, upTo: to, isPart: to < ended, found }
}

/** SQL: below this turn every row of every tenant has been sealed. */
export const sealedUpTo = `coalesce(greatest((SELECT max(to_turn) FROM kernel.audit_seal),
  (SELECT max(to_turn) FROM kernel.audit_checkpoint)), 0)`

async function windowOf(client: AuditClient): Promise<Window> {
  const { rows } = await client.query<Window>(
    `SELECT ${sealedUpTo}::text AS sealed,
            (pg_snapshot_xmin(pg_current_snapshot())::text::bigint + kernel.audit_offset())::text AS ended,
            (extract(epoch FROM now()::timestamptz(3)) * 1000)::bigint::text AS now`,
  )
  const [window] = rows
  if (!window) throw new Error('the database did not say how far it is')
  return window
}

async function cutShort(client: AuditClient, from: bigint, ended: bigint): Promise<bigint> {
  const { rows } = await client.query<{ turn: string }>(
    `SELECT turn FROM kernel.audit WHERE turn >= $1 AND turn < $2 ORDER BY turn OFFSET ${rowsAtOnce} LIMIT 1`,
    [String(from), String(ended)],
  )
  if (!rows[0]) return ended
  const turn = BigInt(rows[0].turn)
  return turn > from ? turn : turn + 1n
}

async function sealWindow(
  client: AuditClient,
  key: AuditKey,
  from: bigint,
  to: bigint,
  now: string,
): Promise<Pick<Sealed, 'rows' | 'tenants'>> {
  const query = `SELECT tenant_id, (extract(epoch FROM at) * 1000)::bigint::text AS at, ${rowDigest} AS digest
      FROM kernel.audit WHERE turn >= ${from} AND turn < ${to} ORDER BY tenant_id, audit.turn, id`
  let open: OpenSeal | undefined
  let rows = 0
  const tenants: string[] = []
  for await (const row of readInBatches<Digested>(client, 'to_seal', query)) {
    if (open && open.tenant !== row.tenant_id) {
      await writeSeal(client, open, from, to, now)
      open = undefined
    }
    if (!open) tenants.push(row.tenant_id)
    open ??= { tenant: row.tenant_id, hash: sealHash(key), rows: 0, firstAt: row.at, lastAt: row.at }
    open.hash.add(row.digest)
    open.rows += 1
    if (BigInt(row.at) < BigInt(open.firstAt)) open.firstAt = row.at
    if (BigInt(row.at) > BigInt(open.lastAt)) open.lastAt = row.at
    rows += 1
  }
  if (open) await writeSeal(client, open, from, to, now)
  return { rows, tenants }
}

interface OpenSeal {
  readonly tenant: string
  readonly hash: ReturnType<typeof sealHash>
  rows: number
  firstAt: string
  lastAt: string
}

async function writeSeal(
  client: AuditClient,
  { tenant, hash, rows, firstAt, lastAt }: OpenSeal,
  from: bigint,
  to: bigint,
  sealedAt: string,
): Promise<void> {
  const last = await client.query<{ seq: string; hash: Buffer }>(
    `(SELECT seq, hash FROM kernel.audit_seal WHERE tenant_id = $1 ORDER BY seq DESC LIMIT 1)
     UNION ALL (SELECT seq, hash FROM kernel.audit_checkpoint WHERE tenant_id = $1 ORDER BY seq DESC LIMIT 1)
     ORDER BY seq DESC LIMIT 1`,
    [tenant],
  )
  const previous = last.rows[0]?.hash ?? noSeal
  const seq = Number(last.rows[0]?.seq ?? 0) + 1
  const words = {
    tenant,
    seq,
    fromTurn: String(from),
    toTurn: String(to),
    rows,
    firstAt,
    lastAt,
    sealedAt,
    previous,
  }
  await client.query(
    `INSERT INTO kernel.audit_seal (tenant_id, seq, from_turn, to_turn, rows, first_at, last_at, previous, hash)
     VALUES ($1, $2, $3, $4, $5, to_timestamp($6::bigint / 1000.0), to_timestamp($7::bigint / 1000.0), $8, $9)`,
    [tenant, seq, String(from), String(to), rows, firstAt, lastAt, previous, hash.end(words)],
  )
}
