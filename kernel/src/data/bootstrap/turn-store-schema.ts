// The schema in which BullMQ keeps turns, where it keeps them in PostgreSQL. Made by the owner; the kernel login alone may
// use it, and what lies in it may be lost.
import { runMigrations } from 'bullmq'
import type pg from 'pg'
import { quoteName } from '../sql-names.ts'
import { loginName } from './login-roles.ts'

const schema = 'bullmq'

/** Run as the owner login. */
export async function prepareTurnStore(owner: pg.Client, rolePrefix: string): Promise<void> {
  await runMigrations(owner, schema)
  const kernel = quoteName(loginName(rolePrefix, 'kernel'))
  await owner.query(
    [
      'begin',
      `revoke all on schema ${schema} from public`,
      `revoke all on all tables in schema ${schema} from public`,
      `revoke all on all functions in schema ${schema} from public`,
      `grant usage on schema ${schema} to ${kernel}`,
      `grant select, insert, update, delete on all tables in schema ${schema} to ${kernel}`,
      `grant usage, select, update on all sequences in schema ${schema} to ${kernel}`,
      `grant execute on all functions in schema ${schema} to ${kernel}`,
      'commit',
    ].join(';\n'),
  )
}
