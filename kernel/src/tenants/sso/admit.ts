// Who somebody is here whom a tenant's identity provider vouches for, and whether he belongs to the tenant.
//
// The provider is its tenant's word and nobody else's. It is believed for addresses of the domains that the tenant has
// verified, if it says that the address is; a subject is remembered for this tenant and this issuer; and the session
// that comes of it is confined to the tenant (sessions.ts). An account that somebody opened with an address he never
// showed to be his gets its credentials taken away before the address's owner is let into it.
import { randomBytes } from 'node:crypto'
import { auditedBy, type ControlAudit } from '../../audit/write-audit.ts'
import { allStand, type DefencesOff } from '../../defences.ts'
import { errors } from '../../errors.ts'
import type { Arrival, MembershipRole } from '../../stages.ts'
import type { ControlTransaction } from '../control-transaction.ts'
import { membershipKey } from '../tenant-directory.ts'
import type { SsoRole, SsoSettings } from './connection.ts'

/** What an ID token says of a person, once it has been verified. */
export interface Vouched {
  readonly subject: string
  readonly email: string | undefined
  /** Undefined when the provider does not say. */
  readonly emailVerified: boolean | undefined
  readonly name: string | undefined
  readonly groups: readonly string[]
}

export interface Admitted {
  readonly userId: string
}

const refuse = (reason: string) => errors.ssoPersonRefused({ reason })

/** The highest role of the groups, or the default one. */
export function roleOf({ groupRoles, defaultRole }: SsoSettings, groups: readonly string[]): SsoRole {
  const roles = groups.flatMap((group) => (Object.hasOwn(groupRoles, group) ? [groupRoles[group]] : []))
  return roles.includes('admin') ? 'admin' : roles.includes('member') ? 'member' : defaultRole
}

/** Address in small letters. @throws SSO_PERSON_REFUSED */
async function addressOf(
  tx: ControlTransaction,
  tenantId: string,
  settings: SsoSettings,
  { email, emailVerified }: Vouched,
  off: DefencesOff,
): Promise<string> {
  const address = email?.toLowerCase() ?? ''
  const domain = /^[^@\s]{1,64}@([^@\s]{1,253})$/.exec(address)?.[1]
  if (domain === undefined) throw refuse('your identity provider did not say your e-mail address.')
  if (off.has('ssoEmail')) return address
  if (emailVerified === false || (emailVerified === undefined && !settings.acceptUnmarkedEmail))
    throw refuse('your identity provider does not say that your e-mail address is verified.')
  const own = await tx.query(
    'SELECT 1 FROM kernel.sso_domain WHERE tenant_id = $1 AND domain = $2 AND verified_at IS NOT NULL',
    [tenantId, domain],
  )
  if (own.length === 0) throw refuse(`this tenant has not verified the domain '${domain}'.`)
  return address
}

/** Takes away whatever might let somebody else in. */
async function resetCredentials(tx: ControlTransaction, userId: string): Promise<void> {
  await tx.query('DELETE FROM identity.account WHERE "userId" = $1', [userId])
  await tx.query('DELETE FROM identity.passkey WHERE user_id = $1', [userId])
  await tx.query('DELETE FROM identity."twoFactor" WHERE "userId" = $1', [userId])
  await tx.query('DELETE FROM identity.link WHERE user_id = $1', [userId])
  const ended = await tx.query<{ id: string }>(
    'DELETE FROM identity.session WHERE "userId" = $1 RETURNING "id" AS id',
    [userId],
  )
  const revoked = await tx.query<{ id: string }>(
    'UPDATE kernel.api_key SET revoked_at = now() WHERE owner_id = $1 AND revoked_at IS NULL RETURNING id',
    [userId],
  )
  for (const { id } of ended) await tx.announce({ kind: 'session', id })
  for (const { id } of revoked) await tx.announce({ kind: 'session', id: `key:${id}` })
}

interface PersonRow {
  id: string
  verified: boolean
  is_member: boolean
}

async function accountFor(
  tx: ControlTransaction,
  tenantId: string,
  email: string,
  name: string | undefined,
): Promise<string> {
  const [known] = await tx.query<PersonRow>(
    `SELECT u.id, u."emailVerified" AS verified,
            EXISTS (SELECT 1 FROM kernel.membership m WHERE m.tenant_id = $2 AND m.user_id = u.id) AS is_member
       FROM identity."user" u WHERE lower(u.email) = $1 FOR UPDATE OF u`,
    [email, tenantId],
  )
  if (!known) {
    const id = randomBytes(16).toString('hex')
    await tx.query(
      `INSERT INTO identity."user" ("id", "name", "email", "emailVerified", "updatedAt") VALUES ($1, $2, $3, true, now())`,
      [id, (name ?? email).slice(0, 200), email],
    )
    return id
  }
  // The tenant took him in itself, or he has shown that the address is his.
  if (known.verified || known.is_member) return known.id
  await resetCredentials(tx, known.id)
  await tx.query(
    'UPDATE identity."user" SET "emailVerified" = true, "twoFactorEnabled" = false WHERE "id" = $1',
    [known.id],
  )
  return known.id
}

/** @throws SSO_PERSON_REFUSED */
export async function admit(
  tx: ControlTransaction,
  to: { readonly tenantId: string; readonly settings: SsoSettings; readonly by: Arrival },
  vouched: Vouched,
  off: DefencesOff = allStand,
): Promise<Admitted> {
  const { tenantId, settings } = to
  const email = await addressOf(tx, tenantId, settings, vouched, off)
  // Two sign-ins of one new person take turns.
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [
    `sso ${tenantId} ${settings.issuer} ${vouched.subject}`,
  ])
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`sso person ${email}`])
  const [link] = await tx.query<{ user_id: string }>(
    `SELECT l.user_id FROM kernel.sso_link l JOIN identity."user" u ON u.id = l.user_id
      WHERE l.tenant_id = $1 AND l.issuer = $2 AND l.subject = $3`,
    [tenantId, settings.issuer, vouched.subject],
  )
  const userId = link?.user_id ?? (await accountFor(tx, tenantId, email, vouched.name))
  const [member] = await tx.query<{ role: MembershipRole }>(
    'SELECT role FROM kernel.membership WHERE tenant_id = $1 AND user_id = $2 FOR UPDATE',
    [tenantId, userId],
  )
  if (!member && !settings.justInTime)
    throw refuse('you are no member of this tenant, and it asks its admins to add people.')
  const by = { tenantId, ...auditedBy({ ...to.by, actor: { id: userId } }) }
  if (!link) {
    await tx.query(
      `INSERT INTO kernel.sso_link (tenant_id, issuer, subject, user_id) VALUES ($1, $2, $3, $4)
       ON CONFLICT (tenant_id, issuer, subject) DO UPDATE SET user_id = excluded.user_id`,
      [tenantId, settings.issuer, vouched.subject, userId],
    )
    const after = { issuer: settings.issuer, subject: vouched.subject, email }
    await tx.audit({ ...by, entity: 'singleSignOnLink', recordId: userId, action: 'linked', after })
  }
  await setRole(tx, by, settings, member?.role, roleOf(settings, vouched.groups))
  await tx.audit({
    ...by,
    entity: 'session',
    recordId: userId,
    action: 'signedIn',
    after: { issuer: settings.issuer },
  })
  return { userId }
}

/** Groups decide at each sign-in, where they are mapped; an owner stays one. */
async function setRole(
  tx: ControlTransaction,
  by: Pick<ControlAudit, 'tenantId' | 'actorId' | 'requestId'>,
  settings: SsoSettings,
  now: MembershipRole | undefined,
  role: SsoRole,
): Promise<void> {
  const { tenantId, actorId: userId } = by
  const isMapped = settings.groupClaim !== undefined
  if (now === 'owner' || now === role || (now !== undefined && !isMapped)) return
  await tx.query(
    `INSERT INTO kernel.membership (tenant_id, user_id, role) VALUES ($1, $2, $3)
     ON CONFLICT (tenant_id, user_id) DO UPDATE SET role = excluded.role`,
    [tenantId, userId, role],
  )
  const action = now === undefined ? 'added' : 'changed'
  const change = {
    ...(now !== undefined && { before: { role: now } }),
    after: { role, by: 'single sign-on' },
  }
  await tx.audit({ ...by, entity: 'membership', recordId: userId, action, ...change })
  await tx.announce({ kind: 'member', id: membershipKey(tenantId, userId) })
}
