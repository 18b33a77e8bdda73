// What the operator does to a person: nothing but to shut him out of the whole installation, and let him in again.

import type { Arrival } from '../stages.ts'
import { recordIdentityEvent } from './identity-events.ts'
import type { IdentityParts } from './identity-parts.ts'
import { endSessions, type Person, readPerson } from './persons.ts'

type Parts = Pick<IdentityParts, 'runControl'>

/** Ends all his sessions, in every kernel process, before it answers. */
export async function disablePerson(
  { runControl }: Parts,
  userId: string,
  reason: string | undefined,
  origin: Arrival,
): Promise<Person> {
  return runControl(async (tx) => {
    // Behind this lock no session is being made for him, and the next one sees that he is disabled.
    await readPerson(tx, userId, true)
    await tx.query(
      `INSERT INTO identity.person (user_id, disabled_at, disabled_reason) VALUES ($1, now(), $2)
       ON CONFLICT (user_id) DO UPDATE SET disabled_at = now(), disabled_reason = $2`,
      [userId, reason ?? null],
    )
    await tx.query('DELETE FROM identity.link WHERE user_id = $1', [userId])
    await recordIdentityEvent(tx, origin, {
      kind: 'disabled',
      userId,
      by: 'operator',
      ...(reason === undefined ? {} : { detail: { reason } }),
    })
    await endSessions(tx, userId)
    return readPerson(tx, userId)
  })
}

export async function enablePerson({ runControl }: Parts, userId: string, origin: Arrival): Promise<Person> {
  return runControl(async (tx) => {
    await readPerson(tx, userId, true)
    await tx.query(
      'UPDATE identity.person SET disabled_at = NULL, disabled_reason = NULL WHERE user_id = $1',
      [userId],
    )
    await recordIdentityEvent(tx, origin, { kind: 'enabled', userId, by: 'operator' })
    return readPerson(tx, userId)
  })
}
