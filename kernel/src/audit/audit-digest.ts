// What a seal is made over: a digest of every row, by the database, and the seal's own words, keyed with what only the
// kernel knows.
import { createHmac } from 'node:crypto'

/**
 * SQL: SHA-256 of everything in a row, in hex. As an array of JSON, so that no two rows have one text; `before` and `after`
 * as texts, for null and a null in JSON are two things.
 */
export const rowDigest = `encode(sha256(convert_to(jsonb_build_array(
  tenant_id, turn, id, extract(epoch from at)::text, actor, on_behalf_of, via, request_id, trace_id, address, agent,
  module, entity, record_id, action, before::text, after::text)::text, 'UTF8')), 'hex')`

export type AuditKey = Buffer

/** Whoever has the database alone cannot make a seal. */
export const auditKey = (secret: string): AuditKey =>
  createHmac('sha256', secret).update('seals of the audit trail').digest()

/** What the first seal of a chain is linked to. */
export const noSeal = Buffer.alloc(32)

export interface SealWords {
  readonly tenant: string
  readonly seq: number
  readonly fromTurn: string
  readonly toTurn: string
  readonly rows: number
  /** Times in milliseconds. */
  readonly firstAt: string
  readonly lastAt: string
  readonly sealedAt: string
  readonly previous: Buffer
}

/** Takes the digests of a seal's rows in their order, as many as there are, and keeps none of them. */
export function sealHash(key: AuditKey) {
  const hmac = createHmac('sha256', key).update('seal 1\n')
  return {
    add: (digest: string): void => void hmac.update(digest),
    end({ previous, ...words }: SealWords): Buffer {
      const { tenant, seq, fromTurn, toTurn, rows, firstAt, lastAt, sealedAt } = words
      const text = [tenant, seq, fromTurn, toTurn, rows, firstAt, lastAt, sealedAt, previous.toString('hex')]
      return hmac.update(`\n${text.join(' ')}`).digest()
    },
  }
}

export interface Checkpoint {
  readonly tenant: string
  readonly seq: number
  readonly toTurn: string
  readonly hash: Buffer
  readonly purgedRows: number
}

export const checkpointMac = (key: AuditKey, { tenant, seq, toTurn, hash, purgedRows }: Checkpoint): Buffer =>
  createHmac('sha256', key)
    .update(`checkpoint 1\n${[tenant, seq, toTurn, hash.toString('hex'), purgedRows].join(' ')}`)
    .digest()
