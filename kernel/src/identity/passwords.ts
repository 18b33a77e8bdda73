// Passwords: reset with a link, changed with the old one, and asked for again before something that matters.
import { randomUUID } from 'node:crypto'
import { errors } from '../errors.ts'
import type { Actor, Arrival } from '../stages.ts'
import type { ControlTransaction } from '../tenants/control-transaction.ts'
import { recordIdentityEvent } from './identity-events.ts'
import { type IdentityParts, throttleRules } from './identity-parts.ts'
import { linkTokenHash, linkUrl, makeLink, takeLink } from './links.ts'
import { endSessions, findByEmail, type Person, readPerson, revokeKeys } from './persons.ts'
import { ownCounts } from './sign-in-counts.ts'
import { mayMail } from './verify-email.ts'

/** The answer is the same whoever has the address, and the work is nearly so. @throws MAIL_NOT_CONFIGURED */
export async function askPasswordReset(parts: IdentityParts, email: string, origin: Arrival): Promise<void> {
  parts.outbox.requireMail()
  if (!(await mayMail(parts, email, origin))) return
  await parts.runControl(async (tx) => {
    const person = await findByEmail(tx, email)
    await recordIdentityEvent(tx, origin, { kind: 'password-reset-asked', userId: person?.id })
    if (!person || person.isDisabled) return
    const { id: userId, name, language } = person
    const { token, expiresAt } = await makeLink(tx, {
      purpose: 'reset-password',
      userId,
      email: person.email,
    })
    await parts.outbox.queue(tx, {
      to: person.email,
      kind: 'reset-password',
      language,
      facts: { name, expires: expiresAt },
      link: linkUrl(parts.config.publicUrl, 'reset-password', token),
    })
  })
}

async function storePassword(
  tx: Pick<ControlTransaction, 'query'>,
  userId: string,
  hash: string,
): Promise<void> {
  const changed = await tx.query(
    `UPDATE identity.account SET password = $2, "updatedAt" = now()
      WHERE "userId" = $1 AND "providerId" = 'credential' RETURNING id`,
    [userId, hash],
  )
  if (changed.length > 0) return
  // Somebody who came by single sign-on has no password yet.
  await tx.query(
    `INSERT INTO identity.account (id, "accountId", "providerId", "userId", password, "updatedAt")
     VALUES ($1, $2, 'credential', $2, $3, now())`,
    [randomUUID(), userId, hash],
  )
}

async function notifyOfChange(
  { outbox }: IdentityParts,
  tx: Pick<ControlTransaction, 'query'>,
  { email, language, name }: Person,
): Promise<void> {
  await outbox.notify(tx, {
    to: email,
    kind: 'password-changed',
    language,
    facts: { name, at: new Date() },
  })
}

/** Ends all sessions and all other links. @throws LINK_INVALID, PASSWORD_REFUSED */
export async function resetPassword(
  parts: IdentityParts,
  input: { readonly token: string; readonly password: string },
  origin: Arrival,
): Promise<void> {
  const { accounts, runControl, passwords, throttle } = parts
  // Looked at before the password is: a link that is no good is said to be so, and costs nobody a hash.
  const holder = await runControl(async (tx) => {
    const [link] = await tx.query<{ user_id: string }>(
      `SELECT user_id FROM identity.link WHERE token_hash = $1 AND purpose = 'reset-password'`,
      [linkTokenHash(input.token)],
    )
    return link && readPerson(tx, link.user_id)
  })
  if (!holder) throw errors.linkInvalid({})
  await passwords.check(input.password, holder)
  const hash = await accounts.hashPassword(input.password)
  const person = await runControl(async (tx) => {
    const { userId } = await takeLink(tx, input.token, ['reset-password'], parts.off)
    const person = await readPerson(tx, userId, true)
    await storePassword(tx, userId, hash)
    if (!person.isVerified) {
      // Whoever made this account had not shown that the mailbox is his. Its owner starts with what he sets now.
      await tx.query('DELETE FROM identity.passkey WHERE user_id = $1', [userId])
      await tx.query('DELETE FROM identity."twoFactor" WHERE "userId" = $1', [userId])
      await revokeKeys(tx, userId)
      await tx.query(
        'UPDATE identity."user" SET "emailVerified" = true, "twoFactorEnabled" = false WHERE id = $1',
        [userId],
      )
    }
    if (!parts.off.has('singleUse')) await tx.query('DELETE FROM identity.link WHERE user_id = $1', [userId])
    await recordIdentityEvent(tx, origin, { kind: 'password-reset', userId })
    await notifyOfChange(parts, tx, person)
    await endSessions(tx, userId)
    return person
  })
  for (const one of Object.values(ownCounts(parts, person.email, origin.address))) await throttle.forget(one)
}

/** Asks a signed-in person for his password again; counted like a sign-in. @throws WRONG_PASSWORD, TOO_MANY_ATTEMPTS */
export async function requirePassword(
  parts: IdentityParts,
  actor: Pick<Actor, 'id' | 'session'>,
  password: string,
  origin: Arrival,
): Promise<void> {
  const { accounts, throttle, runControl } = parts
  const rules = throttleRules(parts.config)
  const counted = [
    { rule: rules.address, of: origin.address },
    // Nobody else's failures: what is counted here is done with this session.
    { rule: rules['account-here'], of: `${actor.id} session ${actor.session}` },
  ]
  const blocking = await throttle.begin(counted)
  const [account] = await runControl((tx) =>
    tx.query<{ password: string | null }>(
      `SELECT password FROM identity.account WHERE "userId" = $1 AND "providerId" = 'credential'`,
      [actor.id],
    ),
  )
  if (!account?.password || !(await accounts.matches(password, account.password))) {
    await runControl((tx) =>
      recordIdentityEvent(tx, origin, {
        kind: 'sign-in-failed',
        userId: actor.id,
        detail: { with: 'password', signedIn: true },
      }),
    )
    throw errors.wrongPassword({})
  }
  await throttle.takeBack(counted, blocking)
}

/** Ends all other sessions. @throws WRONG_PASSWORD, PASSWORD_REFUSED, TOO_MANY_ATTEMPTS */
export async function changePassword(
  parts: IdentityParts,
  actor: Actor,
  input: { readonly current: string; readonly password: string },
  origin: Arrival,
): Promise<void> {
  await requirePassword(parts, actor, input.current, origin)
  await parts.passwords.check(input.password, actor)
  const hash = await parts.accounts.hashPassword(input.password)
  await parts.runControl(async (tx) => {
    const person = await readPerson(tx, actor.id, true)
    await storePassword(tx, actor.id, hash)
    await tx.query(`DELETE FROM identity.link WHERE user_id = $1 AND purpose = 'reset-password'`, [actor.id])
    await recordIdentityEvent(tx, origin, { kind: 'password-changed', userId: actor.id })
    await notifyOfChange(parts, tx, person)
    await endSessions(tx, actor.id, actor.session)
  })
}
