// The role a plugin's statements run as: it may touch the tables of its schema and nothing else. It cannot log in;
// the data login takes it on with SET ROLE and has none of its rights before that.
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { loginName } from '../bootstrap/login-roles.ts'
import { pluginRole, pluginSchema, quoteName } from '../sql-names.ts'

const tries = 8

/**
 * Makes the role and lends it to the data login. Roles belong to the whole server, so this is no part of a
 * transaction: another database of the server (a test run has many) may be making the same one.
 */
export async function makePluginRole(owner: pg.Client, rolePrefix: string, plugin: string): Promise<string> {
  const role = pluginRole(rolePrefix, plugin)
  const data = loginName(rolePrefix, 'data')
  const lent = `select from pg_auth_members m
    where m.roleid = to_regrole($1) and m.member = to_regrole($2) and m.set_option and not m.inherit_option`
  for (let attempt = 1; ; attempt++) {
    try {
      const found = await owner.query('select from pg_roles where rolname = $1', [role])
      if (found.rowCount === 0) await owner.query(`create role ${quoteName(role)} nologin noinherit`)
      const member = await owner.query(lent, [role, data])
      if (member.rowCount === 0) {
        await owner.query(`grant ${quoteName(role)} to ${quoteName(data)} with inherit false, set true`)
      }
      return role
    } catch (error) {
      if (attempt === tries || !isRace(error)) throw error
      await sleep(attempt * 10)
    }
  }
}

// duplicate_object, unique_violation, and the 'tuple concurrently updated' that PostgreSQL gives no code of its own.
const isRace = (error: unknown): boolean =>
  error instanceof pg.DatabaseError && ['42710', '23505', 'XX000'].includes(error.code ?? '')

/** What the role may do in its schema. Not TRUNCATE (it would not ask the row policy), not REFERENCES, not TRIGGER. */
export const pluginGrants = (role: string, plugin: string): string[] => {
  const schema = quoteName(pluginSchema(plugin))
  return [
    `grant usage on schema ${schema} to ${quoteName(role)}`,
    `grant select, insert, update, delete on all tables in schema ${schema} to ${quoteName(role)}`,
    // Row policies and defaults call it with the rights of whoever runs the statement.
    `grant execute on function kernel.tenant_id() to ${quoteName(role)}`,
  ]
}
