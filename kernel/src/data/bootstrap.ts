// Makes a database ready for the kernel, again at every start: logins, rights, the kernel's schema. Safe when two
// kernels start at once. From here on nothing runs as the administrator.
import { createHmac } from 'node:crypto'
import pg from 'pg'
import { continueAuditTurns } from './bootstrap/audit-turns.ts'
import { grantKernelTables } from './bootstrap/kernel-grants.ts'
import { migrateKernel } from './bootstrap/kernel-migrations.ts'
import { lockDownDatabase } from './bootstrap/lock-down-database.ts'
import {
  checkLogins,
  checkRolePrefix,
  type Login,
  loginName,
  loginPassword,
  makeLogins,
  setLoginDefaults,
} from './bootstrap/login-roles.ts'
import { writeTenantFunction } from './bootstrap/tenant-function.ts'
import { prepareTurnStore } from './bootstrap/turn-store-schema.ts'
import type { DataLog } from './data-log.ts'
import { type TenantKey, tenantKey } from './tenant-signature.ts'

export interface BootstrapOptions {
  /** A superuser, or a user with CREATEROLE that owns the database. */
  readonly adminUrl: string
  readonly secret: string
  readonly rolePrefix: string
  /** Whether a session's tenant is signed. Not unless said. */
  readonly signedTenant?: boolean
  readonly log: DataLog
}

/** How to connect as each login. `rolePrefix` names the roles of plugins (see `pluginRole`). */
export interface DatabaseAccess {
  readonly owner: pg.ClientConfig
  readonly kernel: pg.ClientConfig
  readonly data: pg.ClientConfig
  readonly rolePrefix: string
  /** What the tenant of a session is signed with; without one it is not signed. */
  readonly tenantKey?: TenantKey
}

const oldestServer = 160_000
const connectDeadlineMs = 10_000
/** 'plinth' in bytes: advisory locks are per database, so installations do not wait for each other. */
const bootstrapLock = 0x706c_696e

export async function bootstrapDatabase(options: BootstrapOptions): Promise<DatabaseAccess> {
  checkRolePrefix(options.rolePrefix)
  const admin = new pg.Client({
    connectionString: options.adminUrl,
    application_name: 'plinth-bootstrap',
    connectionTimeoutMillis: connectDeadlineMs,
  })
  admin.on('error', heardByQuery)
  await admin.connect()
  try {
    await checkServer(admin)
    await admin.query("set lock_timeout = '60s'; set statement_timeout = '60s'")
    await admin.query('select pg_advisory_lock($1)', [bootstrapLock])
    const access = databaseAccess(admin, options)
    await makeLogins(admin, options.secret, options.rolePrefix)
    await checkLogins(admin, options.rolePrefix)
    const refused = await setLoginDefaults(admin, options.rolePrefix)
    const open = await lockDownDatabase(admin, options.rolePrefix)
    if (refused.length > 0) options.log.warn({ refused }, 'the server did not take these settings')
    for (const sentence of open) options.log.warn({}, sentence)
    await asOwner(access, options)
    return access
  } finally {
    await admin.end()
  }
}

/** A connection that breaks fails the query under way as well; without a listener it would end the process. */
const heardByQuery = (): void => undefined

async function checkServer(admin: pg.Client): Promise<void> {
  const { rows } = await admin.query<{ number: number; version: string; name: string; may: boolean }>(
    `select current_setting('server_version_num')::int as number, current_setting('server_version') as version,
            current_user as name,
            rolsuper or (rolcreaterole and pg_has_role(d.datdba, 'usage')) as may
       from pg_roles, pg_database d where rolname = current_user and datname = current_database()`,
  )
  const [server] = rows
  if (!server || server.number < oldestServer) {
    throw new Error(`PostgreSQL ${server?.version ?? '?'} is too old: Plinth needs 16 or newer.`)
  }
  if (!server.may) {
    throw new Error(
      `The database user '${server.name}' may not set up Plinth: it must be a superuser, or have CREATEROLE and own the database.`,
    )
  }
}

/** How the logins of an installation connect to the database that `admin` is connected to. */
export function databaseAccess(
  admin: pg.Client,
  { secret, rolePrefix, signedTenant }: Pick<BootstrapOptions, 'secret' | 'rolePrefix' | 'signedTenant'>,
): DatabaseAccess {
  const as = (login: Login): pg.ClientConfig => {
    const user = loginName(rolePrefix, login)
    return {
      host: admin.host,
      port: admin.port,
      ssl: admin.ssl,
      ...(admin.database === undefined ? {} : { database: admin.database }),
      user,
      password: loginPassword(secret, user),
      application_name: `plinth-${login}`,
      connectionTimeoutMillis: connectDeadlineMs,
    }
  }
  const logins = { owner: as('owner'), kernel: as('kernel'), data: as('data'), rolePrefix }
  return signedTenant ? { ...logins, tenantKey: tenantKey(secret) } : logins
}

async function asOwner(access: DatabaseAccess, options: BootstrapOptions): Promise<void> {
  const owner = new pg.Client(access.owner)
  owner.on('error', heardByQuery)
  await owner.connect().catch((cause: unknown) => {
    if (!(cause instanceof pg.DatabaseError) || cause.code !== '28P01') throw cause
    throw new Error(anotherSecret(options.rolePrefix), { cause })
  })
  try {
    await migrateKernel(owner)
    await checkSecret(owner, options)
    await owner.query('create schema if not exists identity')
    await writeTenantFunction(owner, access.tenantKey)
    await continueAuditTurns(owner)
    await grantKernelTables(owner, options.rolePrefix)
    await prepareTurnStore(owner, options.rolePrefix)
  } finally {
    await owner.end()
  }
}

/** Where passwords are not asked for (`trust`), only this tells one secret from another. */
async function checkSecret(owner: pg.Client, options: BootstrapOptions): Promise<void> {
  const fingerprint = createHmac('sha256', options.secret).update('fingerprint').digest('hex')
  await owner.query(
    'insert into kernel.installation (secret_fingerprint) values ($1) on conflict (only_one) do nothing',
    [fingerprint],
  )
  const { rows } = await owner.query<{ secret_fingerprint: string }>(
    'select secret_fingerprint from kernel.installation',
  )
  if (rows[0]?.secret_fingerprint !== fingerprint) throw new Error(anotherSecret(options.rolePrefix))
}

const anotherSecret = (rolePrefix: string): string =>
  'This database was set up with another PLINTH_SECRET. Start with that one, or, when the roles ' +
  `${rolePrefix}_* belong to another installation on this server, choose another PLINTH_ROLE_PREFIX.`
