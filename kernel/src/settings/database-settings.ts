// The database.
import { resolve } from 'node:path'
import { integer, matching, oneOf, setting } from './setting.ts'

function databaseUrl(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  // The text holds a password: it is never repeated in the message.
  if (!/^postgres(ql)?:$/.test(URL.parse(text)?.protocol ?? '')) {
    throw new Error('must be a URL such as postgres://user:password@host:5432/database')
  }
  return text
}

export const databaseSettings = {
  databaseUrl: setting(
    'DATABASE_URL',
    'none: an embedded PostgreSQL',
    'An existing PostgreSQL, 16 or newer. Its user must be a superuser, or have CREATEROLE and own the database.',
    databaseUrl,
  ),
  dataDir: setting(
    'DATA_DIR',
    '.data',
    'Folder of the embedded database and of the generated secret, made when missing.',
    (text) => resolve(matching(/^[^\0]+$/, 'a path')(text ?? '.data')),
  ),
  rolePrefix: setting(
    'PLINTH_ROLE_PREFIX',
    'plinth',
    'Start of the names of the database roles. Give each installation on one PostgreSQL server its own.',
    (text) =>
      matching(
        /^(?!.*_plugin)[a-z][a-z0-9_]{0,19}$/,
        'lower-case letters, digits and _, 20 at most, without _plugin',
      )(text ?? 'plinth'),
  ),
  poolSize: setting(
    'PLINTH_POOL_SIZE',
    '16',
    'Most database connections for units of work, in one kernel process.',
    integer(16, 2, 200),
  ),
  signedTenant: setting(
    'PLINTH_SIGNED_TENANT',
    'off',
    'Signs the tenant of every database session, so that SQL which got past all checks cannot name another one: on or off. The same for every kernel process on one database; costs time (docs/decisions/0021).',
    (text) => oneOf('off', ['on', 'off'])(text) === 'on',
  ),
}
