// Invitations to a tenant: sent by mail, listed, sent again, revoked. The token is in the mail alone. One address has one
// open invitation of a tenant at a time.
import { randomUUIDv7 } from 'node:crypto'
import { auditedBy } from '../audit/write-audit.ts'
import { errors } from '../errors.ts'
import { linkTokenHash, linkUrl, newLinkToken } from '../identity/links.ts'
import { type Language, languageOf } from '../mail/languages.ts'
import type { MailOutbox } from '../mail/mail-outbox.ts'
import type { Located, MembershipRole } from '../stages.ts'
import { lockMembers, mayAssign, mayPromote } from './change-members.ts'
import type { ControlTransaction, RunControl } from './control-transaction.ts'

const validDays = 7
/** So that a tenant is no way to send mail to the world. */
const mostInADay = 200

export interface InvitationParts {
  readonly runControl: RunControl
  readonly outbox: MailOutbox
  readonly config: { readonly publicUrl: string }
}

export interface Invitation {
  readonly id: string
  readonly email: string
  readonly role: MembershipRole
  readonly language: Language
  readonly state: 'open' | 'expired' | 'accepted' | 'revoked'
  readonly invitedBy: string
  readonly createdAt: string
  readonly expiresAt: string
}

interface InvitationRow {
  id: string
  email: string
  role: MembershipRole
  language: string
  invited_by: string
  created_at: Date
  expires_at: Date
  state: Invitation['state']
}

const columns = `id, email, role, language, invited_by, created_at, expires_at,
  CASE WHEN accepted_at IS NOT NULL THEN 'accepted' WHEN revoked_at IS NOT NULL THEN 'revoked'
       WHEN expires_at <= now() THEN 'expired' ELSE 'open' END AS state`

const fromRow = (row: InvitationRow): Invitation => ({
  id: row.id,
  email: row.email,
  role: row.role,
  language: languageOf(row.language),
  state: row.state,
  invitedBy: row.invited_by,
  createdAt: row.created_at.toISOString(),
  expiresAt: row.expires_at.toISOString(),
})

async function record(
  tx: ControlTransaction,
  by: Located,
  invitation: Invitation,
  action: string,
): Promise<void> {
  await tx.audit({
    tenantId: by.tenant.id,
    ...auditedBy(by),
    entity: 'invitation',
    recordId: invitation.id,
    action,
    after: invitation,
  })
}

async function send(
  { outbox, config }: InvitationParts,
  tx: ControlTransaction,
  by: Located,
  { email, language, expiresAt }: Invitation,
  token: string,
): Promise<void> {
  await outbox.queue(tx, {
    to: email,
    kind: 'invitation',
    language,
    facts: { tenant: by.tenant.name, inviter: by.actor.name, expires: new Date(expiresAt) },
    link: linkUrl(config.publicUrl, 'invitation', token),
    tenantId: by.tenant.id,
  })
}

async function checkDailyLimit(tx: ControlTransaction, tenantId: string): Promise<void> {
  const [sent] = await tx.query<{ count: number }>(
    `SELECT count(*)::int FROM kernel.mail
      WHERE tenant_id = $1 AND kind = 'invitation' AND created_at > now() - interval '1 day'`,
    [tenantId],
  )
  if ((sent?.count ?? 0) >= mostInADay) throw errors.invitationLimit({ limit: mostInADay, retryAfter: 3_600 })
}

/** @throws RECORD_CONFLICT for a member and for an address that is invited already, MAIL_NOT_CONFIGURED */
export async function invite(
  parts: InvitationParts,
  by: Located,
  input: { readonly email: string; readonly role: MembershipRole; readonly language?: Language },
): Promise<Invitation> {
  parts.outbox.requireMail()
  mayPromote(by, input.role)
  return parts.runControl(async (tx) => {
    mayAssign(await lockMembers(tx, by), input.role)
    await checkDailyLimit(tx, by.tenant.id)
    const members = await tx.query(
      `SELECT FROM identity."user" u
        WHERE lower(u.email) = lower($2)
          AND (EXISTS (SELECT FROM kernel.membership m WHERE m.tenant_id = $1 AND m.user_id = u.id)
            OR EXISTS (SELECT FROM kernel.inactive_member m WHERE m.tenant_id = $1 AND m.user_id = u.id))`,
      [by.tenant.id, input.email],
    )
    if (members.length > 0) throw errors.recordConflict({ entity: 'member', fields: ['email'] })
    // One that is too old makes room.
    await tx.query(
      `UPDATE kernel.invitation SET revoked_at = now() WHERE tenant_id = $1 AND lower(email) = lower($2)
          AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at <= now()`,
      [by.tenant.id, input.email],
    )
    const token = newLinkToken()
    const language = input.language ?? languageOf(by.tenant.locale)
    const [row] = await tx.query<InvitationRow>(
      `INSERT INTO kernel.invitation (tenant_id, id, email, role, language, token_hash, invited_by, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, now() + ${validDays} * interval '1 day')
       ON CONFLICT DO NOTHING RETURNING ${columns}`,
      [by.tenant.id, randomUUIDv7(), input.email, input.role, language, linkTokenHash(token), by.actor.id],
    )
    if (!row) throw errors.recordConflict({ entity: 'invitation', fields: ['email'] })
    const invitation = fromRow(row)
    await send(parts, tx, by, invitation, token)
    await record(tx, by, invitation, 'created')
    return invitation
  })
}

/** Newest first, `limit` at most, before the one named by `cursor`. */
export async function listInvitations(
  runControl: RunControl,
  tenantId: string,
  page: { readonly limit: number; readonly cursor?: string },
): Promise<{ items: Invitation[]; cursor?: string }> {
  const rows = await runControl((tx) =>
    tx.query<InvitationRow>(
      `SELECT ${columns} FROM kernel.invitation
        WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3`,
      [tenantId, page.cursor ?? null, page.limit + 1],
    ),
  )
  const items = rows.slice(0, page.limit).map(fromRow)
  const last = items.at(-1)
  return rows.length > page.limit && last ? { items, cursor: last.id } : { items }
}

/** The invitation, until the transaction ends. @throws RECORD_NOT_FOUND when it was accepted or revoked */
async function readUnused(tx: ControlTransaction, by: Located, id: string): Promise<Invitation> {
  const caller = await lockMembers(tx, by)
  const [row] = await tx.query<InvitationRow>(
    `SELECT ${columns} FROM kernel.invitation WHERE tenant_id = $1 AND id = $2
        AND accepted_at IS NULL AND revoked_at IS NULL FOR UPDATE`,
    [by.tenant.id, id],
  )
  if (!row) throw errors.recordNotFound({ entity: 'invitation', id })
  mayAssign(caller, row.role)
  return fromRow(row)
}

/** With a new link and a new time; the link before it is over. */
export async function resendInvitation(parts: InvitationParts, by: Located, id: string): Promise<Invitation> {
  parts.outbox.requireMail()
  return parts.runControl(async (tx) => {
    const { role } = await readUnused(tx, by, id)
    mayPromote(by, role)
    await checkDailyLimit(tx, by.tenant.id)
    const token = newLinkToken()
    // Whoever sends it again answers for it from now on.
    const [row] = await tx.query<InvitationRow>(
      `UPDATE kernel.invitation SET token_hash = $3, invited_by = $4,
              expires_at = now() + ${validDays} * interval '1 day'
        WHERE tenant_id = $1 AND id = $2 RETURNING ${columns}`,
      [by.tenant.id, id, linkTokenHash(token), by.actor.id],
    )
    if (!row) throw errors.internal({})
    const invitation = fromRow(row)
    await send(parts, tx, by, invitation, token)
    await record(tx, by, invitation, 'resent')
    return invitation
  })
}

export async function revokeInvitation(
  { runControl }: Pick<InvitationParts, 'runControl'>,
  by: Located,
  id: string,
): Promise<void> {
  await runControl(async (tx) => {
    const invitation = await readUnused(tx, by, id)
    await tx.query('UPDATE kernel.invitation SET revoked_at = now() WHERE tenant_id = $1 AND id = $2', [
      by.tenant.id,
      id,
    ])
    await record(tx, by, { ...invitation, state: 'revoked' }, 'revoked')
  })
}
