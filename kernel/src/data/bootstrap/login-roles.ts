// The three logins of an installation: owner (DDL), kernel (control plane), data (units of work). Names, passwords,
// and how they are made. None is a superuser or may bypass row-level security; what each may touch is in
// kernel-grants.ts.
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { quoteName } from '../sql-names.ts'

export const logins = ['owner', 'kernel', 'data'] as const
export type Login = (typeof logins)[number]

export const loginName = (rolePrefix: string, login: Login): string => `${rolePrefix}_${login}`

/** With `_plugin` in it, a login of one installation could have the name of a plugin role of another. */
export function checkRolePrefix(rolePrefix: string): void {
  if (/^[a-z][a-z0-9_]{0,19}$/.test(rolePrefix) && !rolePrefix.includes('_plugin')) return
  throw new Error(
    `'${rolePrefix}' cannot start role names: use lower-case letters, digits and _, 20 at most, without "_plugin".`,
  )
}

/** Derived, so that every kernel process of an installation knows it and nobody has to keep it. */
export const loginPassword = (secret: string, name: string): string =>
  createHmac('sha256', secret).update(`role:${name}`).digest('hex')

const settings: Record<Login, readonly string[]> = {
  // An ALTER TABLE that waits for a lock stops everybody behind it: rather fail and say so.
  owner: ["statement_timeout = '60s'", "lock_timeout = '10s'", 'search_path = pg_catalog, pg_temp'],
  kernel: [
    "statement_timeout = '10s'",
    "idle_in_transaction_session_timeout = '10s'",
    'search_path = kernel, identity, pg_catalog, pg_temp',
  ],
  // The governor limits of sandbox.md, section 5. pg_temp last: a temporary table must not hide a real one.
  data: [
    "statement_timeout = '10s'",
    "lock_timeout = '5s'",
    "idle_in_transaction_session_timeout = '5s'",
    "work_mem = '8MB'",
    'max_parallel_workers_per_gather = 0',
    'jit = off',
    'search_path = pg_catalog, pg_temp',
  ],
}

/** Only a superuser, or a newer server, takes these. */
const optionalSettings: Record<Login, readonly string[]> = {
  owner: [],
  kernel: [],
  data: ["temp_file_limit = '256MB'", "transaction_timeout = '15s'"],
}

const attributes: Record<Login, string> = {
  // To make the roles of plugins. Since PostgreSQL 16 it reaches no role that the owner did not make.
  owner: 'login createrole',
  kernel: 'login',
  data: 'login noinherit',
}

/** Makes the logins that are missing. One that exists is left as it is, its password too. */
export async function makeLogins(admin: pg.Client, secret: string, rolePrefix: string): Promise<void> {
  for (const login of logins) {
    const name = loginName(rolePrefix, login)
    const found = await admin.query('select from pg_roles where rolname = $1', [name])
    if (found.rowCount !== 0) continue
    const verifier = pg.escapeLiteral(scramVerifier(loginPassword(secret, name)))
    await admin.query(`create role ${quoteName(name)} ${attributes[login]} password ${verifier}`)
  }
}

/** `work_mem = '8MB'` as PostgreSQL keeps it: `work_mem=8MB`. */
const asKept = (setting: string): string => setting.replace(/^(\w+) = '?(.*?)'?$/, '$1=$2')

async function hasSetting(admin: pg.Client, role: string, setting: string): Promise<boolean> {
  const { rowCount } = await admin.query(
    'select from pg_db_role_setting s join pg_roles r on r.oid = s.setrole where s.setdatabase = 0 and r.rolname = $1 and $2 = any (s.setconfig)',
    [role, asKept(setting)],
  )
  return rowCount !== 0
}

/**
 * Roles belong to the server, and the lock that starts take belongs to a database: the start of another installation may
 * change the same row, which PostgreSQL refuses (`tuple concurrently updated`) where it could wait.
 */
async function setDefault(admin: pg.Client, role: string, setting: string, tries = 50): Promise<void> {
  if (await hasSetting(admin, role, setting)) return
  try {
    await admin.query(`alter role ${quoteName(role)} set ${setting}`)
  } catch (error) {
    const isConcurrent = error instanceof pg.DatabaseError && writtenByAnother.includes(error.code ?? '')
    if (!isConcurrent || tries <= 1) throw error
    await sleep(10 + Math.random() * 40)
    await setDefault(admin, role, setting, tries - 1)
  }
}

/** The settings each login starts its sessions with. Returns those the server did not take. */
export async function setLoginDefaults(admin: pg.Client, rolePrefix: string): Promise<string[]> {
  const refused: string[] = []
  for (const login of logins) {
    const role = loginName(rolePrefix, login)
    for (const setting of settings[login]) await setDefault(admin, role, setting)
    for (const setting of optionalSettings[login]) {
      await setDefault(admin, role, setting).catch((error: unknown) => {
        const code = error instanceof pg.DatabaseError ? error.code : undefined
        if (code !== insufficientPrivilege && code !== unknownSetting) throw error
        refused.push(setting)
      })
    }
  }
  return refused
}

const insufficientPrivilege = '42501'
/** The row was changed, or made, in between. */
const writtenByAnother = ['XX000', '23505']
const unknownSetting = '42704'

/** The logins must be weak: an existing role of the same name might not be. */
export async function checkLogins(admin: pg.Client, rolePrefix: string): Promise<void> {
  const { rows } = await admin.query<{ rolname: string }>(
    `select rolname from pg_roles
      where rolname = any($1) and (rolsuper or rolbypassrls or rolreplication or not rolcanlogin)`,
    [logins.map((login) => loginName(rolePrefix, login))],
  )
  if (rows.length === 0) return
  const names = rows.map((row) => row.rolname).join(', ')
  throw new Error(
    `The database role ${names} has rights that would defeat the isolation of tenants (SUPERUSER, BYPASSRLS or ` +
      'REPLICATION), or may not log in. Drop it, or choose another PLINTH_ROLE_PREFIX.',
  )
}

/** What PostgreSQL stores of a password (RFC 5803), made here so that the password itself is in no server log. */
function scramVerifier(password: string): string {
  const iterations = 4096
  const salt = randomBytes(16)
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256')
  const clientKey = createHmac('sha256', salted).update('Client Key').digest()
  const storedKey = createHash('sha256').update(clientKey).digest('base64')
  const serverKey = createHmac('sha256', salted).update('Server Key').digest('base64')
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${serverKey}`
}
