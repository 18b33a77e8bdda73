// Accepting an invitation, with the account of its address or with a new one. The link shows that the mailbox is one's own.
// It is good once; and it is over when whoever sent it could not send it any more, so that nobody who is shown the door has
// left himself a way back in.
import { auditedBy } from '../audit/write-audit.ts'
import { errors } from '../errors.ts'
import { refusalOf } from '../identity/better-auth/open-better-auth.ts'
import { recordIdentityEvent } from '../identity/identity-events.ts'
import type { IdentityParts } from '../identity/identity-parts.ts'
import { linkTokenHash } from '../identity/links.ts'
import { findByEmail } from '../identity/persons.ts'
import { readGrants } from '../permissions/read-grants.ts'
import { unasked } from '../permissions/scope-source.ts'
import type { Actor, Arrival, MembershipRole } from '../stages.ts'
import { missingToAssign } from './change-members.ts'
import type { ControlTransaction } from './control-transaction.ts'
import { invitedByOperator } from './invite-owner.ts'
import { membershipKey } from './tenant-directory.ts'

interface OpenInvitation {
  readonly id: string
  readonly email: string
  readonly role: MembershipRole
  readonly expires_at: Date
  readonly tenant_id: string
  readonly slug: string
  readonly name: string
  readonly invited_by: string
  /** Null for who is no member now, or may not enter. */
  readonly inviter_role: MembershipRole | null
}

export interface InvitationView {
  readonly tenant: { readonly id: string; readonly slug: string; readonly name: string }
  readonly email: string
  readonly role: MembershipRole
  readonly expiresAt: string
  readonly hasAccount: boolean
}

export interface Accepted {
  readonly tenant: InvitationView['tenant']
  readonly role: MembershipRole
  /** Of the session that a new account has. */
  readonly token?: string
}

/** @throws LINK_INVALID */
async function findOpen(
  tx: Pick<ControlTransaction, 'query'>,
  token: string,
  { off }: Pick<IdentityParts, 'off'>,
): Promise<OpenInvitation> {
  const [row] = await tx.query<OpenInvitation>(
    `SELECT i.id, i.email, i.role, i.expires_at, i.tenant_id, t.slug, t.name, i.invited_by, m.role AS inviter_role
       FROM kernel.invitation i
       JOIN kernel.tenant t ON t.id = i.tenant_id AND t.state NOT IN ('closing', 'closed', 'suspended')
       LEFT JOIN kernel.membership m ON m.tenant_id = i.tenant_id AND m.user_id = i.invited_by
        AND NOT EXISTS (SELECT FROM identity.person p WHERE p.user_id = m.user_id AND p.disabled_at IS NOT NULL)
        AND NOT EXISTS (SELECT FROM kernel.service_account s
                         WHERE s.tenant_id = m.tenant_id AND s.id::text = m.user_id AND NOT s.active)
      WHERE i.token_hash = $1 ${off.has('singleUse') ? '' : 'AND i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > now()'}
        FOR UPDATE OF i`,
    [linkTokenHash(token)],
  )
  if (!row || !(await standsFor(tx, row))) throw errors.linkInvalid({})
  return row
}

/** Whether somebody could send it now who has sent it. */
async function standsFor(
  tx: Pick<ControlTransaction, 'query'>,
  { tenant_id: tenantId, role, invited_by: inviter, inviter_role: inviterRole }: OpenInvitation,
): Promise<boolean> {
  if (inviter === invitedByOperator) return true
  if (inviterRole === null) return false
  const grants = await readGrants(tx.query, unasked, tenantId, inviter, inviterRole)
  return missingToAssign({ grants }, role) === undefined
}

const tenantOf = ({ tenant_id: id, slug, name }: OpenInvitation) => ({ id, slug, name })

/** What the holder of the link is invited to. @throws LINK_INVALID */
export async function lookAtInvitation(parts: IdentityParts, token: string): Promise<InvitationView> {
  return parts.runControl(async (tx) => {
    const invitation = await findOpen(tx, token, parts)
    return {
      tenant: tenantOf(invitation),
      email: invitation.email,
      role: invitation.role,
      expiresAt: invitation.expires_at.toISOString(),
      hasAccount: (await findByEmail(tx, invitation.email)) !== undefined,
    }
  })
}

async function enter(
  tx: ControlTransaction,
  invitation: OpenInvitation,
  userId: string,
  origin: Arrival,
): Promise<void> {
  const { tenant_id: tenantId, role } = invitation
  await tx.query(
    'UPDATE kernel.invitation SET accepted_at = now(), accepted_by = $3 WHERE tenant_id = $1 AND id = $2',
    [tenantId, invitation.id, userId],
  )
  const inactive = await tx.query(
    'SELECT FROM kernel.inactive_member WHERE tenant_id = $1 AND user_id = $2',
    [tenantId, userId],
  )
  const entered = await tx.query(
    `INSERT INTO kernel.membership (tenant_id, user_id, role) VALUES ($1, $2, $3)
     ON CONFLICT DO NOTHING RETURNING user_id`,
    [tenantId, userId, role],
  )
  if (entered.length === 0 || inactive.length > 0)
    throw errors.recordConflict({ entity: 'member', fields: ['email'] })
  const audited = { tenantId, ...auditedBy({ ...origin, actor: { id: userId } }) }
  await tx.audit({ ...audited, entity: 'invitation', recordId: invitation.id, action: 'accepted' })
  await tx.audit({
    ...audited,
    entity: 'membership',
    recordId: userId,
    action: 'added',
    after: { role, invitation: invitation.id },
  })
  await tx.query(
    'UPDATE identity."user" SET "emailVerified" = true WHERE id = $1 AND lower(email) = lower($2)',
    [userId, invitation.email],
  )
  await tx.announce({ kind: 'member', id: membershipKey(tenantId, userId) })
}

/** @throws LINK_INVALID, INVITATION_FOR_ANOTHER */
export async function acceptSignedIn(
  parts: IdentityParts,
  token: string,
  actor: Actor,
  origin: Arrival,
): Promise<Accepted> {
  return parts.runControl(async (tx) => {
    const invitation = await findOpen(tx, token, parts)
    const isHis = actor.email.toLowerCase() === invitation.email.toLowerCase()
    if (!isHis && !parts.off.has('invitedAddress')) throw errors.invitationForAnother({})
    await enter(tx, invitation, actor.id, origin)
    return { tenant: tenantOf(invitation), role: invitation.role }
  })
}

/** The address of the new account is that of the invitation. @throws LINK_INVALID, INVITATION_NEEDS_SIGN_IN */
export async function acceptAsNew(
  parts: IdentityParts,
  input: { readonly token: string; readonly name: string; readonly password: string },
  origin: Arrival,
): Promise<Accepted> {
  const { accounts, passwords, runControl } = parts
  const { email } = await lookAtInvitation(parts, input.token)
  await passwords.check(input.password, { email, name: input.name })
  const { accepted, userId } = await runControl(async (tx) => {
    const invitation = await findOpen(tx, input.token, parts)
    if (await findByEmail(tx, email)) throw errors.invitationNeedsSignIn({})
    // On a connection of better-auth's own: cut off behind this line, there is an account, and the link is still good
    // for whoever signs in to it.
    const account = { name: input.name, email, password: input.password }
    const made = await accounts.signUp(account, origin).catch((error: unknown) => {
      if (refusalOf(error) !== undefined) throw errors.invitationNeedsSignIn({}, error)
      throw error
    })
    // Somebody else may have been faster, and the id that came back is made up.
    const person = await findByEmail(tx, email)
    if (person?.id !== made.user.id) throw errors.invitationNeedsSignIn({})
    await enter(tx, invitation, person.id, origin)
    await recordIdentityEvent(tx, origin, { kind: 'signed-up', userId: person.id })
    const accepted: Accepted = {
      tenant: tenantOf(invitation),
      role: invitation.role,
      ...(made.token === undefined ? {} : { token: made.token }),
    }
    return { accepted, userId: person.id }
  })
  return accepted.token === undefined
    ? { ...accepted, token: await accounts.openSession(userId, origin) }
    : accepted
}
