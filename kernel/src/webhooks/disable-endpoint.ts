// An endpoint that is switched off by nobody in person: what waits for it is skipped, owners and admins are told by mail,
// and the audit trail says so, all in the transaction that found it out.
import type { Language } from '../mail/languages.ts'
import type { MailOutbox } from '../mail/mail-outbox.ts'
import type { WebhookEnd } from '../mail/mail-texts.ts'
import type { ControlTransaction } from '../tenants/control-transaction.ts'
import { changeEndpoint, readEndpoint, skipWaiting } from './endpoints.ts'

export interface DisableParts {
  readonly outbox: Pick<MailOutbox, 'notify'>
  languageOf(locale: string | undefined): Language
}

interface Reader {
  readonly email: string
  readonly name: string
  readonly language: string | null
  readonly tenant: string
}

/** Owners and admins; who was deactivated is none. */
const readersOf = (tx: ControlTransaction, tenant: string) =>
  tx.query<Reader>(
    `SELECT u.email, u.name, coalesce(p.language, t.locale) AS language, t.name AS tenant
       FROM kernel.membership m JOIN kernel.tenant t ON t.id = m.tenant_id
       JOIN identity."user" u ON u.id = m.user_id LEFT JOIN identity.person p ON p.user_id = u.id
      WHERE m.tenant_id = $1 AND m.role IN ('owner', 'admin')
      ORDER BY u.id`,
    [tenant],
  )

/** What stands before a `?`: behind it may be what opens something. */
const shortUrl = (url: string): string => url.split('?')[0] ?? url

/** Nothing when it is disabled already. */
export async function disableEndpoint(
  { outbox, languageOf }: DisableParts,
  tx: ControlTransaction,
  of: { readonly tenant: string; readonly endpoint: string; readonly requestId: string },
  why: WebhookEnd,
): Promise<void> {
  const before = await readEndpoint(tx, of.tenant, of.endpoint)
  if (before?.state !== 'enabled') return
  const by = { tenant: of.tenant, actor: 'kernel' }
  const after = await changeEndpoint(tx, by, of.endpoint, { ...before, state: 'disabled' }, why)
  await skipWaiting(tx, of.tenant, of.endpoint)
  await tx.audit({
    tenantId: of.tenant,
    actorId: 'kernel',
    requestId: of.requestId,
    entity: 'webhook',
    recordId: of.endpoint,
    action: 'disabled',
    before,
    ...(after && { after }),
  })
  const at = new Date()
  for (const { email, name, language, tenant } of await readersOf(tx, of.tenant)) {
    await outbox.notify(tx, {
      to: email,
      kind: 'webhook-disabled',
      language: languageOf(language ?? undefined),
      facts: { name, tenant, url: shortUrl(before.url), why, at },
      tenantId: of.tenant,
    })
  }
}
