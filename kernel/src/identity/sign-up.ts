// Signing up. Where an address must be confirmed first, the answer is the same whether it has an account or not, and the
// mailbox alone learns which.

import type { Arrival } from '../stages.ts'
import type { NewAccount, SignedIn } from './accounts.ts'
import { recordIdentityEvent } from './identity-events.ts'
import type { IdentityParts } from './identity-parts.ts'
import { findByEmail } from './persons.ts'
import { mayMail, sendVerification } from './verify-email.ts'

/** Undefined: a mail is on its way. @throws PASSWORD_REFUSED, IDENTITY_REFUSED */
export async function signUp(
  parts: IdentityParts,
  input: NewAccount,
  origin: Arrival,
): Promise<SignedIn | undefined> {
  const { accounts, passwords, runControl, outbox } = parts
  const isConfirmedFirst = parts.config.verifyEmail === 'required'
  if (isConfirmedFirst) outbox.requireMail()
  await passwords.check(input.password, input)
  const { token, user } = await accounts.signUp(input, origin)
  if (token !== undefined) {
    await runControl((tx) => recordIdentityEvent(tx, origin, { kind: 'signed-up', userId: user.id }))
    return { token, user }
  }
  const isNew = await runControl(async (tx) => {
    const person = await findByEmail(tx, input.email)
    const isNew = person?.id === user.id
    await recordIdentityEvent(tx, origin, {
      kind: 'signed-up',
      userId: person?.id,
      ...(isNew ? {} : { detail: { existed: true } }),
    })
    return isNew
  })
  if (isNew) await sendVerification(parts, input.email, origin)
  else await tellOwner(parts, input.email, origin)
  return undefined
}

async function tellOwner(parts: IdentityParts, email: string, origin: Arrival): Promise<void> {
  if (!(await mayMail(parts, email, origin))) return
  await parts.runControl(async (tx) => {
    const person = await findByEmail(tx, email)
    if (!person) return
    // Who has not confirmed it yet gets his link again.
    await parts.outbox.notify(tx, {
      to: person.email,
      kind: 'has-account',
      language: person.language,
      facts: { name: person.name },
    })
  })
}
