// What a person sees and changes of his own account: name, language, sessions.
import { errors } from '../errors.ts'
import type { Language } from '../mail/languages.ts'
import type { Actor, Arrival } from '../stages.ts'
import { recordIdentityEvent } from './identity-events.ts'
import type { IdentityParts } from './identity-parts.ts'
import { endSessions, type Person, readPerson, rereadSessions } from './persons.ts'

export interface ShownSession {
  readonly id: string
  readonly isCurrent: boolean
  readonly signedInAt: string
  readonly expiresAt: string
  readonly address?: string
  readonly userAgent?: string
}

interface SessionRow {
  id: string
  createdAt: Date
  expiresAt: Date
  ipAddress: string | null
  userAgent: string | null
}

export interface ProfileChange {
  readonly name?: string
  readonly language?: Language
}

type Parts = Pick<IdentityParts, 'runControl'>

export const readProfile = ({ runControl }: Parts, actor: Actor): Promise<Person> =>
  runControl((tx) => readPerson(tx, actor.id))

/** `expect` is given the person as he is before, and may refuse. */
export async function changeProfile(
  { runControl }: Parts,
  actor: Actor,
  change: ProfileChange,
  origin: Arrival,
  expect: (before: Person) => void = () => undefined,
): Promise<Person> {
  return runControl(async (tx) => {
    expect(await readPerson(tx, actor.id, true))
    if (change.name !== undefined)
      await tx.query('UPDATE identity."user" SET name = $2, "updatedAt" = now() WHERE id = $1', [
        actor.id,
        change.name,
      ])
    if (change.language !== undefined)
      await tx.query(
        `INSERT INTO identity.person (user_id, language) VALUES ($1, $2)
         ON CONFLICT (user_id) DO UPDATE SET language = $2`,
        [actor.id, change.language],
      )
    await recordIdentityEvent(tx, origin, {
      kind: 'profile-changed',
      userId: actor.id,
      detail: { fields: Object.keys(change).join(', ') },
    })
    if (change.name !== undefined) await rereadSessions(tx, actor.id)
    return readPerson(tx, actor.id)
  })
}

/** Sessions by id, `limit` at most, after the one named by `cursor`. */
export async function listSessions(
  { runControl }: Parts,
  actor: Actor,
  page: { readonly limit: number; readonly cursor?: string },
): Promise<{ items: ShownSession[]; cursor?: string }> {
  const rows = await runControl((tx) =>
    tx.query<SessionRow>(
      `SELECT "id", "createdAt", "expiresAt", "ipAddress", "userAgent" FROM identity.session
        WHERE "userId" = $1 AND "expiresAt" > now() AND "id" > $2 ORDER BY "id" LIMIT $3`,
      [actor.id, page.cursor ?? '', page.limit + 1],
    ),
  )
  const items = rows.slice(0, page.limit).map((row) => ({
    id: row.id,
    isCurrent: row.id === actor.session,
    signedInAt: row.createdAt.toISOString(),
    expiresAt: row.expiresAt.toISOString(),
    ...(row.ipAddress ? { address: row.ipAddress } : {}),
    ...(row.userAgent ? { userAgent: row.userAgent } : {}),
  }))
  const last = items.at(-1)
  return rows.length > page.limit && last ? { items, cursor: last.id } : { items }
}

/** Ends one of the person's own sessions, in every kernel process. @throws RECORD_NOT_FOUND */
export async function revokeSession(
  { runControl }: Parts,
  actor: Actor,
  id: string,
  origin: Arrival,
): Promise<void> {
  await runControl(async (tx) => {
    const ended = await tx.query(
      'DELETE FROM identity.session WHERE "id" = $1 AND "userId" = $2 RETURNING "id"',
      [id, actor.id],
    )
    if (ended.length === 0) throw errors.recordNotFound({ entity: 'session', id })
    await recordIdentityEvent(tx, origin, {
      kind: 'session-revoked',
      userId: actor.id,
      detail: { session: id },
    })
    await tx.announce({ kind: 'session', id })
  })
}

/** Ends all of the person's sessions but the one that asks. */
export async function revokeOtherSessions(
  { runControl }: Parts,
  actor: Actor,
  origin: Arrival,
): Promise<void> {
  await runControl(async (tx) => {
    const ended = await endSessions(tx, actor.id, actor.session)
    await recordIdentityEvent(tx, origin, {
      kind: 'session-revoked',
      userId: actor.id,
      detail: { sessions: ended },
    })
  })
}
