// Codes of an authenticator app as a person switches them on and off. Each change ends his other sessions and is told to
// his mailbox.
import { errors } from '../errors.ts'
import type { FactorChange } from '../mail/mail-texts.ts'
import type { Arrival, Identified } from '../stages.ts'
import type { ControlTransaction } from '../tenants/control-transaction.ts'
import { type IdentityEventKind, recordIdentityEvent } from './identity-events.ts'
import type { IdentityParts } from './identity-parts.ts'
import { requirePassword } from './passwords.ts'
import { endSessions, readPerson } from './persons.ts'
import { useCode } from './sign-in.ts'

/** Writes a change of how somebody signs in down, and tells his mailbox, in the caller's transaction. */
export async function tellFactorChange(
  { outbox }: Pick<IdentityParts, 'outbox'>,
  tx: Pick<ControlTransaction, 'query' | 'audit'>,
  userId: string,
  change: { readonly kind: IdentityEventKind; readonly what: FactorChange },
  origin: Arrival,
): Promise<void> {
  await recordIdentityEvent(tx, origin, { kind: change.kind, userId })
  const { email, language, name } = await readPerson(tx, userId)
  await outbox.notify(tx, {
    to: email,
    kind: 'factor-changed',
    language,
    facts: { name, what: change.what, at: new Date() },
  })
}

/** What changes a session needs the session itself: a token that was made of it stays behind. @throws SESSION_REQUIRED */
function requireSession({ credential }: Identified): void {
  if (credential !== 'session') throw errors.sessionRequired({})
}

async function settle(
  parts: IdentityParts,
  token: string,
  userId: string,
  change: { readonly kind: IdentityEventKind; readonly what: FactorChange },
  origin: Arrival,
): Promise<void> {
  const current = await parts.accounts.findSession(token)
  await parts.runControl(async (tx) => {
    await tellFactorChange(parts, tx, userId, change, origin)
    await endSessions(tx, userId, current?.session)
  })
}

/** Nothing is on before the first code. @throws WRONG_PASSWORD, TOO_MANY_ATTEMPTS */
export async function setUpCodes(parts: IdentityParts, who: Identified, password: string, origin: Arrival) {
  requireSession(who)
  await requirePassword(parts, who.actor, password, origin)
  return parts.accounts.codes.setUp(who.token, password)
}

/** @returns the token of the session from now on @throws WRONG_CODE */
export async function confirmCodes(
  parts: IdentityParts,
  who: Identified,
  code: string,
  origin: Arrival,
): Promise<string> {
  requireSession(who)
  const token = await parts.accounts.codes.confirm(who.token, code)
  // Who looked over his shoulder has it for another minute.
  await parts.runControl((tx) => useCode(tx, who.actor.id, code))
  await settle(parts, token, who.actor.id, { kind: 'totp-on', what: 'totp-on' }, origin)
  return token
}

/** @returns the token of the session from now on @throws WRONG_PASSWORD, TOO_MANY_ATTEMPTS */
export async function disableCodes(
  parts: IdentityParts,
  who: Identified,
  password: string,
  origin: Arrival,
): Promise<string> {
  requireSession(who)
  await requirePassword(parts, who.actor, password, origin)
  const token = await parts.accounts.codes.disable(who.token, password)
  await settle(parts, token, who.actor.id, { kind: 'totp-off', what: 'totp-off' }, origin)
  return token
}

/** The old ones are no good any more. @throws WRONG_PASSWORD, TOO_MANY_ATTEMPTS */
export async function newRecoveryCodes(
  parts: IdentityParts,
  who: Identified,
  password: string,
  origin: Arrival,
): Promise<readonly string[]> {
  requireSession(who)
  await requirePassword(parts, who.actor, password, origin)
  const codes = await parts.accounts.codes.newRecoveryCodes(who.token, password)
  await parts.runControl((tx) =>
    tellFactorChange(parts, tx, who.actor.id, { kind: 'recovery-codes-made', what: 'codes' }, origin),
  )
  return codes
}
