// Showing that an address is one's own: after sign-up, and before it becomes the address to sign in with.
import { errors, isPlinthError } from '../errors.ts'
import type { Arrival } from '../stages.ts'
import type { ControlTransaction } from '../tenants/control-transaction.ts'
import { recordIdentityEvent } from './identity-events.ts'
import { type IdentityParts, throttleRules } from './identity-parts.ts'
import { linkUrl, makeLink, takeLink } from './links.ts'
import { findByEmail, type Person, readPerson, rereadSessions } from './persons.ts'

/**
 * Whether a mail to this address may be sent now; counts it. A mailbox that has had enough is left alone silently, for
 * the answer tells nobody whether there is one. @throws TOO_MANY_ATTEMPTS for the network that asks
 */
export async function mayMail(parts: IdentityParts, email: string, origin: Arrival): Promise<boolean> {
  const rules = throttleRules(parts.config)
  await parts.throttle.begin([{ rule: rules['mail-address'], of: origin.address }])
  try {
    await parts.throttle.begin([{ rule: rules.mail, of: email }])
    return true
  } catch (error) {
    if (isPlinthError(error) && error.code === errors.tooManyAttempts.code) return false
    throw error
  }
}

/** Sends the link to whoever has the address and has not shown yet that it is his. */
export async function sendVerification(parts: IdentityParts, email: string, origin: Arrival): Promise<void> {
  parts.outbox.requireMail()
  if (!(await mayMail(parts, email, origin))) return
  await parts.runControl(async (tx) => {
    const person = await findByEmail(tx, email)
    if (!person || person.isVerified) return
    const { id: userId, language, name } = person
    const { token, expiresAt } = await makeLink(tx, { purpose: 'verify-email', userId, email: person.email })
    await parts.outbox.queue(tx, {
      to: person.email,
      kind: 'verify-email',
      language,
      facts: { name, expires: expiresAt },
      link: linkUrl(parts.config.publicUrl, 'verify-email', token),
    })
  })
}

/**
 * Whom a tenant's identity provider speaks for does not slip away from it: a tenant that requires it, and a directory that
 * ends its people here, know them by their address. @throws EMAIL_MANAGED
 */
async function refuseManaged(
  tx: Pick<ControlTransaction, 'query'>,
  { id, email }: Pick<Person, 'id' | 'email'>,
  next: string,
): Promise<void> {
  const [kept] = await tx.query<{ domain: string }>(
    `SELECT d.domain FROM kernel.sso_domain d JOIN kernel.sso_connection c ON c.tenant_id = d.tenant_id
       JOIN (SELECT tenant_id, user_id, role FROM kernel.membership
             UNION ALL SELECT tenant_id, user_id, role FROM kernel.inactive_member) m ON m.tenant_id = d.tenant_id
      WHERE m.user_id = $1 AND m.role <> 'owner' AND d.verified_at IS NOT NULL AND d.domain = split_part(lower($2), '@', 2)
        AND NOT EXISTS (SELECT FROM kernel.sso_domain o WHERE o.tenant_id = d.tenant_id AND o.verified_at IS NOT NULL
                           AND o.domain = split_part(lower($3), '@', 2))
      LIMIT 1`,
    [id, email, next],
  )
  if (kept) throw errors.emailManaged(kept)
}

/**
 * Asks for another address. The answer is the same when somebody has it already; the link goes to the new address, and
 * changes nothing until it is used. @throws EMAIL_MANAGED
 */
export async function askNewEmail(
  parts: IdentityParts,
  userId: string,
  email: string,
  origin: Arrival,
): Promise<void> {
  parts.outbox.requireMail()
  if (!(await mayMail(parts, email, origin))) return
  await parts.runControl(async (tx) => {
    const person = await readPerson(tx, userId)
    await refuseManaged(tx, person, email)
    const { name, language } = person
    await recordIdentityEvent(tx, origin, { kind: 'email-change-asked', userId })
    if (await findByEmail(tx, email)) return
    const { token, expiresAt } = await makeLink(tx, { purpose: 'change-email', userId, email })
    await parts.outbox.queue(tx, {
      to: email,
      kind: 'change-email',
      language,
      facts: { name, expires: expiresAt },
      link: linkUrl(parts.config.publicUrl, 'change-email', token),
    })
  })
}

/** Uses a link of either kind. @throws LINK_INVALID, also when the address was taken meanwhile, EMAIL_MANAGED */
export async function confirmEmail(parts: IdentityParts, token: string, origin: Arrival): Promise<void> {
  await parts.runControl(async (tx) => {
    const link = await takeLink(tx, token, ['verify-email', 'change-email'], parts.off)
    const person = await readPerson(tx, link.userId, true)
    if (link.purpose === 'verify-email') {
      // The address was changed after the mail was sent: the link says nothing of the new one.
      if (person.email.toLowerCase() !== link.email.toLowerCase()) throw errors.linkInvalid({})
      await tx.query('UPDATE identity."user" SET "emailVerified" = true, "updatedAt" = now() WHERE id = $1', [
        person.id,
      ])
      await recordIdentityEvent(tx, origin, { kind: 'email-verified', userId: person.id })
      return
    }
    if (await findByEmail(tx, link.email)) throw errors.linkInvalid({})
    await refuseManaged(tx, person, link.email)
    await tx.query(
      'UPDATE identity."user" SET email = $2, "emailVerified" = true, "updatedAt" = now() WHERE id = $1',
      [person.id, link.email.toLowerCase()],
    )
    // Links that were sent to the old mailbox are not for its owner any more.
    await tx.query('DELETE FROM identity.link WHERE user_id = $1', [person.id])
    await recordIdentityEvent(tx, origin, { kind: 'email-changed', userId: person.id })
    await parts.outbox.notify(tx, {
      to: person.email,
      kind: 'email-changed',
      language: person.language,
      facts: { name: person.name, email: link.email, at: new Date() },
    })
    await rereadSessions(tx, person.id)
  })
}
