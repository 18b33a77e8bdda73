// Links for a mailbox: a token that is in the mail alone, a hash of it in the database, good for one use and for a time.
import { createHash, randomBytes } from 'node:crypto'
import { allStand, type DefencesOff } from '../defences.ts'
import { errors } from '../errors.ts'
import type { ControlTransaction } from '../tenants/control-transaction.ts'

export type LinkPurpose = 'reset-password' | 'verify-email' | 'change-email'

export interface Link {
  readonly purpose: LinkPurpose
  readonly userId: string
  /** The address it was sent to. */
  readonly email: string
}

type Query = Pick<ControlTransaction, 'query'>

export const newLinkToken = (): string => randomBytes(32).toString('base64url')
export const linkTokenHash = (token: string): Buffer => createHash('sha256').update(token).digest()

/** The token stands behind the #, which browsers send to no server. */
export const linkUrl = (publicUrl: string, purpose: LinkPurpose | 'invitation', token: string): string =>
  `${publicUrl}/#${purpose}=${token}`

const validMinutes: Readonly<Record<LinkPurpose, number>> = {
  'reset-password': 60,
  'verify-email': 24 * 60,
  'change-email': 60,
}

/** Keeps the link in the caller's transaction. */
export async function makeLink(tx: Query, link: Link): Promise<{ token: string; expiresAt: Date }> {
  const token = newLinkToken()
  const expiresAt = new Date(Date.now() + validMinutes[link.purpose] * 60_000)
  await tx.query(
    'INSERT INTO identity.link (token_hash, purpose, user_id, email, expires_at) VALUES ($1, $2, $3, $4, $5)',
    [linkTokenHash(token), link.purpose, link.userId, link.email, expiresAt],
  )
  return { token, expiresAt }
}

/**
 * Uses the link up, in the caller's transaction: of two at the same moment one waits, and finds nothing.
 * @throws LINK_INVALID
 */
export async function takeLink(
  tx: Query,
  token: string,
  purposes: readonly LinkPurpose[],
  off: DefencesOff = allStand,
): Promise<Link> {
  const take = off.has('singleUse')
    ? 'SELECT purpose, user_id, email FROM identity.link WHERE token_hash = $1 AND purpose = ANY ($2)'
    : `DELETE FROM identity.link WHERE token_hash = $1 AND purpose = ANY ($2) AND expires_at > now()
       RETURNING purpose, user_id, email`
  const [row] = await tx.query<{ purpose: LinkPurpose; user_id: string; email: string }>(take, [
    linkTokenHash(token),
    purposes,
  ])
  if (!row) throw errors.linkInvalid({})
  return { purpose: row.purpose, userId: row.user_id, email: row.email }
}

/** Links that nobody can use any more, some at a time. */
export async function purgeLinks(tx: Query): Promise<void> {
  await tx.query(
    'DELETE FROM identity.link WHERE token_hash IN (SELECT token_hash FROM identity.link WHERE expires_at < now() LIMIT 10000)',
    [],
  )
}
