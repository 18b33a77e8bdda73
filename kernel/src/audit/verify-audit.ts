// Recomputes a tenant's chain and says what is not as it was sealed: a byte that was changed, a row or a seal that is gone
// or was put in, an order that is another. One pass over the rows, in as much memory for a million as for a few.
import { allStand, type DefencesOff } from '../defences.ts'
import { type AuditKey, checkpointMac, noSeal, rowDigest, sealHash } from './audit-digest.ts'
import { type AuditClient, readInBatches } from './read-in-batches.ts'
import { sealedUpTo } from './seal-audit.ts'

/** A place in the chain, to be kept elsewhere: what is there must still be so at any later time. */
export interface Anchor {
  readonly seq: number
  /** In hex. */
  readonly hash: string
}

export interface Verification {
  readonly ok: boolean
  readonly seals: number
  readonly rows: number
  /** Rows that are not sealed yet: of the last second, or of longer while a transaction goes on. */
  readonly waiting: number
  /** Rows that went with their seals because the plan keeps them no longer. */
  readonly purged: number
  /** What is wrong, the first of it. */
  readonly problems: readonly string[]
  /** The end of the chain as it is. Absent before the first seal. */
  readonly anchor?: Anchor & { readonly sealedAt: string }
}

interface SealRow {
  readonly seq: string
  readonly from_turn: string
  readonly to_turn: string
  readonly rows: string
  readonly first_at: string
  readonly last_at: string
  readonly sealed_at: string
  readonly previous: Buffer
  readonly hash: Buffer
}

interface CheckpointRow {
  readonly seq: string
  readonly to_turn: string
  readonly hash: Buffer
  readonly purged_rows: string
  readonly mac: Buffer
}

interface DigestRow {
  readonly turn: string
  readonly digest: string
}

const mostProblems = 20
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

const ms = (column: string) => `(extract(epoch FROM ${column}) * 1000)::bigint::text AS ${column}`

export interface VerifyOptions {
  readonly anchor?: Anchor
  /** What this process has seen sealed: rows below it that no seal covers have lost theirs. */
  readonly floor?: bigint
}

/** Within a transaction at REPEATABLE READ: rows and seals of one moment. `off` is for tests. */
export async function verifyAudit(
  client: AuditClient,
  key: AuditKey,
  tenant: string,
  { anchor, floor = 0n }: VerifyOptions = {},
  off: DefencesOff = allStand,
): Promise<Verification> {
  // Stands in the text of a cursor, which takes no values.
  if (!uuid.test(tenant)) throw new Error('a tenant id must be a UUID in lower case')
  const problems: string[] = []
  const tell = (problem: string) => void (problems.length < mostProblems && problems.push(problem))
  const start = await readStart(client, key, tenant, tell)
  const edge = await client.query<{ sealed: string }>(`SELECT ${sealedUpTo}::text AS sealed`)
  const found = BigInt(edge.rows[0]?.sealed ?? 0)
  const sealed = found > floor ? found : floor

  const rows = readInBatches<DigestRow>(
    client,
    'audit_rows',
    `SELECT turn, ${rowDigest} AS digest FROM kernel.audit WHERE tenant_id = '${tenant}' ORDER BY audit.turn, id`,
  )
  const seals = readInBatches<SealRow>(
    client,
    'audit_seals',
    `SELECT seq, from_turn, to_turn, rows, ${ms('first_at')}, ${ms('last_at')}, ${ms('sealed_at')}, previous, hash
       FROM kernel.audit_seal WHERE tenant_id = '${tenant}' ORDER BY seq`,
  )
  let row = await rows.next()
  /** How many rows there are below `turn` from here on; each is given to `take`. */
  const passRows = async (turn: bigint, take?: (digest: string) => void): Promise<number> => {
    let passed = 0
    for (; !row.done && BigInt(row.value.turn) < turn; row = await rows.next()) {
      take?.(row.value.digest)
      passed += 1
    }
    return passed
  }

  let last = start
  let count = 0
  let covered = 0
  let isAnchored = anchor === undefined || isAt(anchor, start.seq, start.hash)
  let end: Verification['anchor']
  for await (const seal of seals) {
    const seq = Number(seal.seq)
    const [from, to] = [BigInt(seal.from_turn), BigInt(seal.to_turn)]
    if (seq !== last.seq + 1) tell(`Seal ${last.seq + 1} is missing: after ${last.seq} comes ${seq}.`)
    else if (!seal.previous.equals(last.hash)) tell(`Seal ${seq} is not linked to the one before it.`)
    if (from < last.toTurn) tell(`Seal ${seq} covers what the one before it covers.`)
    const between = await passRows(from)
    if (between > 0) tell(`${between} rows before seal ${seq} were put in after the sealing.`)
    const hash = sealHash(key)
    const inside = await passRows(to, hash.add)
    const words = {
      tenant,
      seq,
      fromTurn: seal.from_turn,
      toTurn: seal.to_turn,
      rows: Number(seal.rows),
      firstAt: seal.first_at,
      lastAt: seal.last_at,
      sealedAt: seal.sealed_at,
      previous: seal.previous,
    }
    if (!hash.end(words).equals(seal.hash) && !off.has('auditSeals'))
      tell(`${whatOf(seal, inside)} are not as they were sealed (seal ${seq}).`)
    isAnchored ||= anchor !== undefined && isAt(anchor, seq, seal.hash)
    last = { seq, toTurn: to, hash: seal.hash, purged: last.purged }
    end = { seq, hash: seal.hash.toString('hex'), sealedAt: timeOf(seal.sealed_at) }
    count += 1
    covered += inside
  }
  const unsealed = await passRows(sealed)
  if (unsealed > 0) tell(`${unsealed} rows at the end of the chain have lost their seals, or were put in.`)
  const waiting = await passRows(2n ** 63n)
  if (anchor && !isAnchored) tell(missedAnchor(anchor, start.seq, last.seq))
  return {
    ok: problems.length === 0,
    seals: count,
    rows: covered,
    waiting,
    purged: start.purged,
    problems,
    ...(end ? { anchor: end } : {}),
  }
}

interface Place {
  readonly seq: number
  readonly toTurn: bigint
  readonly hash: Buffer
  readonly purged: number
}

/** Where the chain begins: at its first seal, or behind what was purged. */
async function readStart(
  client: AuditClient,
  key: AuditKey,
  tenant: string,
  tell: (problem: string) => void,
): Promise<Place> {
  const { rows } = await client.query<CheckpointRow>(
    `SELECT seq, to_turn, hash, purged_rows, mac FROM kernel.audit_checkpoint
      WHERE tenant_id = $1 ORDER BY seq DESC LIMIT 1`,
    [tenant],
  )
  const [row] = rows
  if (!row) return { seq: 0, toTurn: 0n, hash: noSeal, purged: 0 }
  const { hash } = row
  const [seq, purgedRows] = [Number(row.seq), Number(row.purged_rows)]
  if (!checkpointMac(key, { tenant, seq, toTurn: row.to_turn, hash, purgedRows }).equals(row.mac))
    tell(`The checkpoint at seal ${seq} is not ours: what came before it was not purged by the kernel.`)
  return { seq, toTurn: BigInt(row.to_turn), hash, purged: purgedRows }
}

const isAt = (anchor: Anchor, seq: number, hash: Buffer): boolean =>
  anchor.seq === seq && anchor.hash.toLowerCase() === hash.toString('hex')

function missedAnchor({ seq }: Anchor, first: number, last: number): string {
  if (seq > last)
    return `The chain ends at seal ${last}, before the anchor at ${seq}: its end was taken away.`
  if (seq < first)
    return `The anchor at seal ${seq} is older than what is kept (from ${first} on): use a newer one.`
  return `Seal ${seq} is not the one of the anchor: the chain was made anew.`
}

const timeOf = (milliseconds: string): string => new Date(Number(milliseconds)).toISOString()

function whatOf({ rows, first_at, last_at }: SealRow, found: number): string {
  const number = found === Number(rows) ? `The ${rows} rows` : `Of ${rows} rows there are ${found}, which`
  return `${number} from ${timeOf(first_at)} to ${timeOf(last_at)}`
}
