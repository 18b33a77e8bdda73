// Takes from PUBLIC what no plugin's SQL may have, in this database only: creating things, temporary tables, and
// functions that change settings, run SQL from text, wait, lock, notify, or tell about other sessions and tables.
// The vetting of plugin SQL refuses them as well; this is the wall behind it (sandbox.md, section 2).
import pg from 'pg'
import { quoteName } from '../sql-names.ts'
import { loginName, logins } from './login-roles.ts'

/** Patterns for LIKE over names in pg_catalog. */
const dangerous = [
  // With it one statement becomes another tenant.
  'set\\_config',
  'pg\\_sleep%',
  'pg\\_advisory%',
  'pg\\_try\\_advisory%',
  'pg\\_notify',
  'pg\\_listening\\_channels',
  'pg\\_cancel\\_backend',
  'pg\\_terminate\\_backend',
  'query\\_to\\_xml%',
  'cursor\\_to\\_xml%',
  'table\\_to\\_xml%',
  'schema\\_to\\_xml%',
  'database\\_to\\_xml%',
  'ts\\_stat',
  'ts\\_rewrite',
  'lo\\_%',
  'loread',
  'lowrite',
  'pg\\_%\\_size',
  'pg\\_stat\\_get%',
  'pg\\_lock\\_status',
  'pg\\_blocking\\_pids',
  'pg\\_prepared\\_%',
  'pg\\_export\\_snapshot',
  'pg\\_logical\\_%',
  'pg\\_ls\\_%',
  'pg\\_current\\_logfile',
  'pg\\_relation\\_file%',
  'pg\\_tablespace\\_%',
  'pg\\_log\\_%',
  'inet\\_%\\_addr',
  'inet\\_%\\_port',
  'lastval',
  'setval',
  'setseed',
]

/** What the kernel's own logins need of these: the change feed and the locks of migrations. */
const controlPlane = ['pg\\_notify', 'pg\\_advisory%', 'pg\\_try\\_advisory%', 'pg\\_stat\\_get%']

/** What a monitoring login, which is a member of pg_monitor, looks at. */
const monitoring = ['pg\\_stat\\_get%', 'pg\\_%\\_size', 'pg\\_lock\\_status', 'pg\\_blocking\\_pids']

interface FunctionRow {
  signature: string
}

// `regprocedure` writes schema, name and argument types, quoted: it is an SQL text of the catalog, not of a person.
const publicFunctions = `
  select 'pg_catalog.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')' as signature
    from pg_proc p
   where p.pronamespace = 'pg_catalog'::regnamespace and p.prokind = 'f' and p.proname like any ($1)
     and has_function_privilege($2, p.oid, 'execute') = $3
   order by 1`

/** Returns sentences about what this user may not take away. */
export async function lockDownDatabase(admin: pg.Client, rolePrefix: string): Promise<string[]> {
  await grantDatabase(admin, rolePrefix)
  const notes: string[] = []
  await admin.query('revoke all on schema public from public').catch((error: unknown) => {
    if (!isRefusal(error)) throw error
    notes.push('PUBLIC keeps its rights on the schema public: this database user does not own it.')
  })
  return [...notes, ...(await lockDownFunctions(admin, rolePrefix))]
}

/** Rights on the database itself. A database made from a template does not take them over. */
export async function grantDatabase(admin: pg.Client, rolePrefix: string): Promise<void> {
  const { rows } = await admin.query<{ name: string }>('select current_database() as name')
  const database = pg.escapeIdentifier(rows[0]?.name ?? '')
  const owner = quoteName(loginName(rolePrefix, 'owner'))
  const everyLogin = logins.map((login) => quoteName(loginName(rolePrefix, login))).join(', ')
  await admin.query(`revoke create, temporary on database ${database} from public`)
  await admin.query(`grant connect on database ${database} to ${everyLogin}`)
  // Not TEMPORARY: nobody needs it, and a temporary table is a place to leave rows for the next tenant.
  await admin.query(`grant create on database ${database} to ${owner}`)
}

async function lockDownFunctions(admin: pg.Client, rolePrefix: string): Promise<string[]> {
  const open = await admin.query<FunctionRow>(publicFunctions, [dangerous, 'public', true])
  if (open.rows.length === 0) return []
  const keepers: [string, string[]][] = [
    [loginName(rolePrefix, 'owner'), controlPlane],
    [loginName(rolePrefix, 'kernel'), controlPlane],
    ['pg_monitor', monitoring],
  ]
  for (const [name, patterns] of keepers) {
    const needed = await admin.query<FunctionRow>(publicFunctions, [patterns, name, true])
    const list = needed.rows.map((row) => row.signature).join(', ')
    if (list) await admin.query(`grant execute on function ${list} to ${quoteName(name)}`)
  }
  const list = open.rows.map((row) => row.signature).join(', ')
  // Without the right to do so PostgreSQL only warns, so what is left open is asked for again.
  await admin.query(`revoke execute on function ${list} from public`).catch((error: unknown) => {
    if (!isRefusal(error)) throw error
  })
  const still = await admin.query<FunctionRow>(publicFunctions, [dangerous, 'public', true])
  if (still.rows.length === 0) return []
  return [
    `${still.rows.length} functions that plugin SQL must not call stay open to every login of this database, ` +
      'pg_catalog.set_config among them if it is listed: only a superuser can close them. The vetting of plugin ' +
      `SQL refuses them. Let a superuser run once: revoke execute on function ${still.rows
        .map((row) => row.signature)
        .join(', ')} from public`,
  ]
}

const isRefusal = (error: unknown): boolean => error instanceof pg.DatabaseError && error.code === '42501'
