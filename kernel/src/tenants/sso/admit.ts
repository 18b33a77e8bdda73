// Who somebody is here whom a tenant's identity provider vouches for, and whether he belongs to the tenant.
//
// The provider is its tenant's word and nobody else's. It is believed for addresses of the domains that the tenant has
// verified, if it says that the address is; a subject is remembered for this tenant and this issuer; and the session
// that comes of it is confined to the tenant (sessions.ts). An account that somebody opened with an address he never
// showed to be his gets its credentials taken away before the address's owner is let into it.
import { randomBytes } from 'node:crypto'
import type { Manifest } from '@plinth/sdk'
import { auditedBy } from '../../audit/write-audit.ts'
import { allStand, type DefencesOff } from '../../defences.ts'
import { errors } from '../../errors.ts'
import { recordIdentityEvent } from '../../identity/identity-events.ts'
import type { Arrival, MembershipRole } from '../../stages.ts'
import type { ControlTransaction } from '../control-transaction.ts'
import { membershipKey } from '../tenant-directory.ts'
import { linkIssuerOf, type SsoSettings } from './connection.ts'
import { givenByGroups, isMapped } from './group-roles.ts'
import { setProvidedRoles } from './provided-roles.ts'

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
async function resetCredentials(
  tx: ControlTransaction,
  tenantId: string,
  userId: string,
  origin: Arrival,
): Promise<void> {
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
  const detail = { by: 'single sign-on', tenant: tenantId, sessions: ended.length, keys: revoked.length }
  await recordIdentityEvent(tx, origin, { kind: 'credentials-removed', userId, detail })
}

interface PersonRow {
  id: string
  verified: boolean
  is_member: boolean
}

/** Whose account the address is; a new one when nobody's. For an address that somebody trusted has vouched for. */
export async function accountFor(
  tx: ControlTransaction,
  tenantId: string,
  email: string,
  name: string | undefined,
  origin: Arrival,
): Promise<string> {
  const [known] = await tx.query<PersonRow>(
    `SELECT u.id, u."emailVerified" AS verified,
            EXISTS (SELECT 1 FROM kernel.membership m WHERE m.tenant_id = $2 AND m.user_id = u.id) AS is_member
       FROM identity."user" u WHERE lower(u.email) = $1 FOR UPDATE OF u`,
    [email, tenantId],
  )
  if (!known) {
    const id = randomBytes(16).toString('hex')
    const made = await tx.query(
      `INSERT INTO identity."user" ("id", "name", "email", "emailVerified", "updatedAt")
       VALUES ($1, $2, $3, true, now()) ON CONFLICT DO NOTHING RETURNING "id"`,
      [id, (name ?? email).slice(0, 200), email],
    )
    // Somebody signs up with the address at this moment: who it is will be known when the request comes again.
    if (made.length === 0) throw errors.writeConflict({})
    return id
  }
  // The tenant took him in itself, or he has shown that the address is his.
  if (known.verified || known.is_member) return known.id
  await resetCredentials(tx, tenantId, known.id, origin)
  await tx.query(
    'UPDATE identity."user" SET "emailVerified" = true, "twoFactorEnabled" = false WHERE "id" = $1',
    [known.id],
  )
  return known.id
}

/** @throws SSO_PERSON_REFUSED */
export async function admit(
  tx: ControlTransaction,
  to: {
    readonly tenantId: string
    readonly settings: SsoSettings
    /** Of the modules that the tenant has enabled. */
    readonly manifests: readonly Manifest[]
    readonly by: Arrival
  },
  vouched: Vouched,
  off: DefencesOff = allStand,
): Promise<Admitted> {
  const { tenantId, settings, manifests } = to
  const issuer = linkIssuerOf(settings)
  const email = await addressOf(tx, tenantId, settings, vouched, off)
  // Roles change in turns, and the turn comes before any member's row.
  await tx.query('SELECT id FROM kernel.tenant WHERE id = $1 FOR UPDATE', [tenantId])
  // Two sign-ins of one new person take turns.
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [
    `sso ${tenantId} ${issuer} ${vouched.subject}`,
  ])
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`sso person ${email}`])
  const [link] = await tx.query<{ user_id: string }>(
    `SELECT l.user_id FROM kernel.sso_link l JOIN identity."user" u ON u.id = l.user_id
      WHERE l.tenant_id = $1 AND l.issuer = $2 AND l.subject = $3`,
    [tenantId, issuer, vouched.subject],
  )
  const userId = link?.user_id ?? (await accountFor(tx, tenantId, email, vouched.name, to.by))
  const [member] = await tx.query<{ role: MembershipRole }>(
    'SELECT role FROM kernel.membership WHERE tenant_id = $1 AND user_id = $2 FOR UPDATE',
    [tenantId, userId],
  )
  const inactive = await tx.query(
    'SELECT FROM kernel.inactive_member WHERE tenant_id = $1 AND user_id = $2',
    [tenantId, userId],
  )
  if (inactive.length > 0) throw refuse('an admin of this tenant has deactivated you in it.')
  if (!member && !settings.justInTime)
    throw refuse('you are no member of this tenant, and it asks its admins to add people.')
  const by = auditedBy({ ...to.by, actor: { id: userId } })
  const groups = [...new Set(vouched.groups)].filter((group) => isMapped(settings, group))
  await tx.query(
    `INSERT INTO kernel.sso_link (tenant_id, issuer, subject, user_id, groups) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (tenant_id, issuer, subject)
     DO UPDATE SET user_id = excluded.user_id, groups = excluded.groups`,
    [tenantId, issuer, vouched.subject, userId, groups],
  )
  if (!link) {
    const after = { issuer: settings.issuer, subject: vouched.subject, email }
    await tx.audit({ tenantId, ...by, entity: 'singleSignOnLink', recordId: userId, action: 'linked', after })
  }
  if (!member) {
    const { membership: role } = givenByGroups(settings, groups)
    await tx.query('INSERT INTO kernel.membership (tenant_id, user_id, role) VALUES ($1, $2, $3)', [
      tenantId,
      userId,
      role,
    ])
    const after = { role, by: 'single sign-on' }
    await tx.audit({ tenantId, ...by, entity: 'membership', recordId: userId, action: 'added', after })
    await tx.announce({ kind: 'member', id: membershipKey(tenantId, userId) })
  }
  await setProvidedRoles(tx, { tenantId, settings, manifests, by }, userId)
  return { userId }
}
