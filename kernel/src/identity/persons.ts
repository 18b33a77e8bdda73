// A person as the kernel's own statements see him: better-auth's row with what the kernel keeps beside it.
import { errors } from '../errors.ts'
import { type Language, languageOf } from '../mail/languages.ts'
import type { ControlTransaction } from '../tenants/control-transaction.ts'

export interface Person {
  readonly id: string
  readonly name: string
  readonly email: string
  readonly isVerified: boolean
  readonly hasTotp: boolean
  readonly language: Language
  readonly isDisabled: boolean
  readonly createdAt: string
}

type Query = Pick<ControlTransaction, 'query'>

interface PersonRow {
  id: string
  name: string
  email: string
  emailVerified: boolean
  twoFactorEnabled: boolean | null
  createdAt: Date
  language: string | null
  disabled_at: Date | null
}

const select = `
  SELECT u.id, u.name, u.email, u."emailVerified", u."twoFactorEnabled", u."createdAt", p.language, p.disabled_at
    FROM identity."user" u LEFT JOIN identity.person p ON p.user_id = u.id`

const personFromRow = (row: PersonRow): Person => ({
  id: row.id,
  name: row.name,
  email: row.email,
  isVerified: row.emailVerified,
  hasTotp: row.twoFactorEnabled === true,
  language: languageOf(row.language ?? undefined),
  isDisabled: row.disabled_at !== null,
  createdAt: row.createdAt.toISOString(),
})

export async function findByEmail(tx: Query, email: string): Promise<Person | undefined> {
  const [row] = await tx.query<PersonRow>(`${select} WHERE lower(u.email) = lower($1)`, [email])
  return row && personFromRow(row)
}

/** `lock` holds back others who change the person, and sessions that are being made for him. */
export async function readPerson(tx: Query, id: string, lock = false): Promise<Person> {
  const [row] = await tx.query<PersonRow>(`${select} WHERE u.id = $1 ${lock ? 'FOR UPDATE OF u' : ''}`, [id])
  if (!row) throw errors.recordNotFound({ entity: 'person', id })
  return personFromRow(row)
}

/** Persons by id, `limit` at most, whose address is `email` where it is given, after the one named by `cursor`. */
export async function listPersons(
  tx: Query,
  page: { readonly limit: number; readonly cursor?: string; readonly email?: string },
): Promise<{ items: Person[]; cursor?: string }> {
  const rows = await tx.query<PersonRow>(
    `${select} WHERE u.id > $1 AND ($2::text IS NULL OR lower(u.email) = lower($2)) ORDER BY u.id LIMIT $3`,
    [page.cursor ?? '', page.email ?? null, page.limit + 1],
  )
  const items = rows.slice(0, page.limit).map(personFromRow)
  const last = items.at(-1)
  return rows.length > page.limit && last ? { items, cursor: last.id } : { items }
}

/**
 * Ends the person's sessions, but for `kept`. The database tells every process of each; what is announced last is
 * waited for, and by then all are forgotten.
 */
export async function endSessions(
  tx: Pick<ControlTransaction, 'query' | 'announce'>,
  userId: string,
  kept?: string,
): Promise<number> {
  const ended = await tx.query<{ id: string }>(
    'DELETE FROM identity.session WHERE "userId" = $1 AND "id" IS DISTINCT FROM $2 RETURNING "id"',
    [userId, kept ?? null],
  )
  const last = ended.at(-1)
  if (last) await tx.announce({ kind: 'session', id: last.id })
  return ended.length
}

/** Has every process read the person's name and address again: they are kept with his sessions. */
export async function rereadSessions(
  tx: Pick<ControlTransaction, 'query' | 'announce'>,
  userId: string,
): Promise<void> {
  const touched = await tx.query<{ id: string }>(
    'UPDATE identity.session SET "updatedAt" = now() WHERE "userId" = $1 RETURNING "id"',
    [userId],
  )
  const last = touched.at(-1)
  if (last) await tx.announce({ kind: 'session', id: last.id })
}
