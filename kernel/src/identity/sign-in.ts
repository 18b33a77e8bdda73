// Signing in: counted before it is tried, answered alike whether the account exists or not, and written down before the
// token is handed out.
import { errors, isPlinthError } from '../errors.ts'
import type { Arrival } from '../stages.ts'
import type { ControlTransaction } from '../tenants/control-transaction.ts'
import type { CodeAsked, SignedIn } from './accounts.ts'
import { refusalOf } from './better-auth/open-better-auth.ts'
import { recordIdentityEvent } from './identity-events.ts'
import { type IdentityParts, throttleRules } from './identity-parts.ts'
import { findByEmail, readPerson } from './persons.ts'
import { ownCounts, signInCounts } from './sign-in-counts.ts'
import type { Counted } from './throttle.ts'
import { sendVerification } from './verify-email.ts'

const wrongCredentials = new Set(['INVALID_EMAIL_OR_PASSWORD', 'INVALID_EMAIL', 'PASSWORD_TOO_LONG'])

/** Writes the failure down, and tells the owner of an account when it has to wait from now on. */
async function recordFailure(
  { runControl, outbox }: IdentityParts,
  origin: Arrival,
  email: string,
  isAccountBlocked: boolean,
): Promise<void> {
  await runControl(async (tx) => {
    const person = await findByEmail(tx, email)
    const userId = person?.id
    await recordIdentityEvent(tx, origin, { kind: 'sign-in-failed', userId, detail: { with: 'password' } })
    if (!isAccountBlocked) return
    const recent = await tx.query(
      `SELECT FROM identity.event WHERE user_id = $1 AND kind = 'sign-in-blocked' AND at > now() - interval '1 hour' LIMIT 1`,
      [userId ?? ''],
    )
    await recordIdentityEvent(tx, origin, { kind: 'sign-in-blocked', userId })
    // Guesses from a hundred networks are one piece of news.
    if (!person || recent.length > 0) return
    const at = new Date()
    await outbox.notify(tx, {
      to: person.email,
      kind: 'sign-in-blocked',
      language: person.language,
      facts: { name: person.name, at },
    })
  })
}

export async function signIn(
  parts: IdentityParts,
  input: { readonly email: string; readonly password: string },
  origin: Arrival,
): Promise<SignedIn | CodeAsked> {
  const { accounts, throttle, runControl } = parts
  const { all: counted, ofAccount } = await signInCounts(parts, input.email, origin)
  const blocking = await throttle.begin(counted)
  let answer: SignedIn | CodeAsked
  try {
    answer = await accounts.signIn(input, origin)
  } catch (error) {
    const refusal = refusalOf(error)
    if (refusal !== undefined && wrongCredentials.has(refusal)) {
      await recordFailure(
        parts,
        origin,
        input.email,
        blocking.some((one) => ofAccount.includes(one)),
      )
      throw error
    }
    // The password was right, or nobody could look: no failure of the caller's.
    await throttle.takeBack(counted, blocking)
    if (refusal !== 'EMAIL_NOT_VERIFIED') throw error
    await sendVerification(parts, input.email, origin)
    throw errors.emailNotVerified({}, error)
  }
  await throttle.takeBack(counted, blocking)
  if ('challenge' in answer) return answer
  for (const one of ofAccount) await throttle.forget(one)
  await runControl((tx) =>
    recordIdentityEvent(tx, origin, {
      kind: 'signed-in',
      userId: answer.user.id,
      detail: { with: 'password' },
    }),
  )
  return answer
}

/** Whether it is the first time: a code is right for longer than one needs to send it. */
export async function useCode(
  tx: Pick<ControlTransaction, 'query'>,
  userId: string,
  code: string,
): Promise<boolean> {
  await tx.query(
    `DELETE FROM identity.used_code WHERE user_id = $1 AND used_at < now() - interval '3 minutes'`,
    [userId],
  )
  const used = await tx.query(
    'INSERT INTO identity.used_code (user_id, code) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING code',
    [userId, code],
  )
  return used.length > 0
}

/** The second step, with a code of an authenticator or a recovery code. @throws WRONG_CODE, TOO_MANY_ATTEMPTS */
export async function signInWithCode(
  parts: IdentityParts,
  input: { readonly challenge: string; readonly code: string; readonly isRecovery: boolean },
  origin: Arrival,
): Promise<SignedIn> {
  const { accounts, throttle, runControl, off } = parts
  const rules = throttleRules(parts.config)
  const counted: readonly Counted[] = [{ rule: rules.address, of: origin.address }]
  const blocking = await throttle.begin(counted)
  let answer: SignedIn
  try {
    answer = await accounts.codes.verify(input, origin)
  } catch (error) {
    if (!isPlinthError(error) || error.code !== errors.wrongCode.code)
      await throttle.takeBack(counted, blocking)
    else
      await runControl((tx) =>
        recordIdentityEvent(tx, origin, {
          kind: 'sign-in-failed',
          userId: undefined,
          detail: { with: 'code' },
        }),
      )
    throw error
  }
  const isFirstUse = await runControl(async (tx) => {
    const { id: userId } = answer.user
    if (!input.isRecovery && !off.has('codeReplay') && !(await useCode(tx, userId, input.code))) return false
    const how = input.isRecovery ? 'recovery-code' : 'totp'
    await recordIdentityEvent(tx, origin, { kind: 'signed-in', userId, detail: { with: how } })
    return true
  })
  if (!isFirstUse) {
    await accounts.signOut(answer.token)
    throw errors.wrongCode({})
  }
  await throttle.takeBack(counted, blocking)
  const { email } = await runControl((tx) => readPerson(tx, answer.user.id))
  for (const one of Object.values(ownCounts(parts, email, origin.address))) await throttle.forget(one)
  return answer
}
