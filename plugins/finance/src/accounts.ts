// What may still be changed about an account once it is in use.

import type { Granted, Id } from '@plinth/sdk'
import type { AccountType } from './contract.ts'
import { refuse } from './refuse.ts'

interface Candidate {
  /** Absent for a new one. */
  readonly id?: Id<'account'>
  readonly code: string
  readonly type: AccountType
}

/**
 * The type of an account decides where its figures stand in every report there was: it is changed only while nothing was
 * posted. The kernel has locked the account and a posting locks it too, so of the two at once one sees the other.
 */
export async function checkTypeKept(
  { sql }: Granted<{ readonly sql: 'read' }>,
  { id, code, type }: Candidate,
): Promise<void> {
  if (id === undefined) return
  const [stored] = await sql`
    select stored.type from account as stored where stored.id = ${id} and stored.type <> ${type}
      and exists (
        select 1 from journal_entry_lines as line join journal_entry as entry on entry.id = line.journal_entry_id
        where line.account = ${id} and entry.status = 'posted')`
  const was = stored?.['type']
  if (typeof was === 'string') refuse('ACCOUNT_TYPE_FIXED', { account: code, was, field: 'type' })
}
