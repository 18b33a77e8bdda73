// A tenant that the operator opens for somebody without an account: he is asked by mail to own it, and until he accepts it
// has nobody. The invitation is the operator's, and so it is good without a member who stands for it.
import { randomUUIDv7 } from 'node:crypto'
import type { AuditedBy } from '../audit/write-audit.ts'
import { errors } from '../errors.ts'
import { linkTokenHash, linkUrl, newLinkToken } from '../identity/links.ts'
import { languageOf } from '../mail/languages.ts'
import type { MailOutbox } from '../mail/mail-outbox.ts'
import type { ControlTransaction, RunControl } from './control-transaction.ts'
import { membershipKey } from './tenant-directory.ts'

/** `invited_by` of such an invitation: no person and no service account has this id. */
export const invitedByOperator = 'operator'
const validDays = 14

interface OwnedTenant {
  readonly id: string
  readonly name: string
  readonly locale: string
}

/** Queues the mail. Whoever was asked before is asked no longer. */
export type InviteOwner = (
  tx: ControlTransaction,
  by: AuditedBy,
  tenant: OwnedTenant,
  email: string,
) => Promise<void>

/** Undefined where there is no mail. */
export function createInviteOwner(parts: {
  readonly outbox: MailOutbox
  readonly config: { readonly publicUrl: string }
}): InviteOwner | undefined {
  const { outbox, config } = parts
  if (!outbox.isConfigured) return undefined
  return async (tx, by, { id: tenantId, name, locale }, email) => {
    await tx.query(
      `UPDATE kernel.invitation SET revoked_at = now() WHERE tenant_id = $1 AND (invited_by = $2 OR lower(email) = lower($3))
          AND accepted_at IS NULL AND revoked_at IS NULL`,
      [tenantId, invitedByOperator, email],
    )
    const [id, token, language] = [randomUUIDv7(), newLinkToken(), languageOf(locale)]
    const [row] = await tx.query<{ expires_at: Date }>(
      `INSERT INTO kernel.invitation (tenant_id, id, email, role, language, token_hash, invited_by, expires_at)
       VALUES ($1, $2, $3, 'owner', $4, $5, $6, now() + ${validDays} * interval '1 day') RETURNING expires_at`,
      [tenantId, id, email, language, linkTokenHash(token), invitedByOperator],
    )
    if (!row) throw errors.internal({})
    await outbox.queue(tx, {
      to: email,
      kind: 'owner-invitation',
      language,
      facts: { tenant: name, expires: row.expires_at },
      link: linkUrl(config.publicUrl, 'invitation', token),
      tenantId,
    })
    const after = { email, role: 'owner' }
    await tx.audit({ tenantId, ...by, entity: 'invitation', recordId: id, action: 'created', after })
  }
}

export async function findAccount(tx: ControlTransaction, email: string): Promise<string | undefined> {
  const [user] = await tx.query<{ id: string }>(
    'SELECT id FROM identity."user" WHERE lower(email) = lower($1)',
    [email],
  )
  return user?.id
}

export function refuseUnknownOwner(field: string): never {
  const message = 'Nobody has signed up with this address yet, and there is no mail server to invite him by.'
  throw errors.validation({ errors: [{ field, code: 'UNKNOWN_USER', message }] })
}

/**
 * For a tenant that has no owner: whoever has the address, or is invited by it.
 * @throws RECORD_CONFLICT when it has one, TENANT_NOT_FOUND, VALIDATION_FAILED
 */
export async function appointOwner(
  runControl: RunControl,
  by: AuditedBy,
  tenantId: string,
  email: string,
  invite: InviteOwner | undefined,
): Promise<void> {
  await runControl(async (tx) => {
    const [tenant] = await tx.query<OwnedTenant>(
      'SELECT id, name, locale FROM kernel.tenant WHERE id = $1 FOR UPDATE',
      [tenantId],
    )
    if (!tenant) throw errors.tenantNotFound({ tenant: tenantId })
    const owners = await tx.query(
      `SELECT user_id FROM kernel.membership WHERE tenant_id = $1 AND role = 'owner'
       UNION ALL SELECT user_id FROM kernel.inactive_member WHERE tenant_id = $1 AND role = 'owner'`,
      [tenantId],
    )
    if (owners.length > 0) throw errors.recordConflict({ entity: 'owner', fields: ['tenant'] })
    const person = await findAccount(tx, email)
    if (person === undefined) return (invite ?? refuseUnknownOwner('email'))(tx, by, tenant, email)
    await tx.query(
      `UPDATE kernel.invitation SET revoked_at = now() WHERE tenant_id = $1 AND invited_by = $2
          AND accepted_at IS NULL AND revoked_at IS NULL`,
      [tenantId, invitedByOperator],
    )
    await tx.query(
      `INSERT INTO kernel.membership (tenant_id, user_id, role) VALUES ($1, $2, 'owner')
       ON CONFLICT (tenant_id, user_id) DO UPDATE SET role = 'owner'`,
      [tenantId, person],
    )
    const after = { email, role: 'owner' }
    await tx.audit({ tenantId, ...by, entity: 'membership', recordId: person, action: 'added', after })
    await tx.announce({ kind: 'member', id: membershipKey(tenantId, person) })
  })
}
