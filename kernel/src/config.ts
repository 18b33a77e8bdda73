// The settings, read from the environment once, checked together, frozen. Nobody else reads process.env.
// docs/settings.md is checked against `settings` below.
import { resolve } from 'node:path'

interface Setting<T> {
  /** What stands in the docs when the setting is not given. */
  readonly default: string
  readonly meaning: string
  readonly parse: (text: string | undefined) => T
}

const setting = <T>(
  fallback: string,
  meaning: string,
  parse: (text: string | undefined) => T,
): Setting<T> => ({
  default: fallback,
  meaning,
  parse,
})

function integer(fallback: number, min: number, max: number) {
  return (text: string | undefined): number => {
    if (text === undefined) return fallback
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new Error(`must be a whole number from ${min} to ${max}, not '${text}'`)
    }
    return value
  }
}

function oneOf<const T extends string>(fallback: T, values: readonly T[]) {
  return (text: string | undefined): T => {
    if (text === undefined) return fallback
    const value = values.find((v) => v === text)
    if (value === undefined) throw new Error(`must be one of ${values.join(', ')}, not '${text}'`)
    return value
  }
}

function matching(pattern: RegExp, form: string) {
  return (text: string): string => {
    if (!pattern.test(text)) throw new Error(`must be ${form}, not '${text}'`)
    return text
  }
}

function databaseUrl(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  // The text holds a password: it is never repeated in the message.
  if (!/^postgres(ql)?:$/.test(URL.parse(text)?.protocol ?? '')) {
    throw new Error('must be a URL such as postgres://user:password@host:5432/database')
  }
  return text
}

function secret(text: string | undefined): string | undefined {
  if (text !== undefined && text.length < 32) throw new Error('must have at least 32 characters')
  return text
}

/** Every setting: name in the environment, default, meaning, parser. */
export const settings = {
  PORT: setting(
    '3000',
    'TCP port of the HTTP API. 0 takes a free one and prints it.',
    integer(3000, 0, 65535),
  ),
  HOST: setting('127.0.0.1', 'Address the HTTP API listens on. `0.0.0.0` for every interface.', (text) =>
    matching(/^[A-Za-z0-9.:_-]+$/, 'a host name or an IP address')(text ?? '127.0.0.1'),
  ),
  DATABASE_URL: setting(
    'none: an embedded PostgreSQL',
    'An existing PostgreSQL, 16 or newer. Its user must be a superuser, or have CREATEROLE and own the database.',
    databaseUrl,
  ),
  DATA_DIR: setting(
    '.data',
    'Folder of the embedded database and of the generated secret, made when missing.',
    (text) => resolve(matching(/^[^\0]+$/, 'a path')(text ?? '.data')),
  ),
  PLINTH_SECRET: setting(
    'generated, kept in DATA_DIR',
    'At least 32 characters. Signs sessions and derives the database passwords; every kernel process on one database needs the same.',
    secret,
  ),
  PLINTH_ROLE_PREFIX: setting(
    'plinth',
    'Start of the names of the database roles. Give each installation on one PostgreSQL server its own.',
    (text) =>
      matching(
        /^(?!.*_plugin)[a-z][a-z0-9_]{0,19}$/,
        'lower-case letters, digits and _, 20 at most, without _plugin',
      )(text ?? 'plinth'),
  ),
  PLINTH_POOL_SIZE: setting(
    '16',
    'Most database connections for units of work, in one kernel process.',
    integer(16, 2, 200),
  ),
  PLINTH_PLUGINS_ROOT: setting(
    'the working directory',
    'Folder of the installation: the plugins are among the dependencies of its package.json.',
    (text) => resolve(text ?? '.'),
  ),
  PLINTH_DEMO: setting(
    'on with the embedded database, else off',
    'Makes the tenant `demo` with an owner at the first start: on or off.',
    (text) => (text === undefined ? undefined : oneOf('off', ['on', 'off'])(text) === 'on'),
  ),
  PLINTH_DEBUG_ERRORS: setting(
    'off',
    'Adds the stack of a failed plugin to the problem document: on or off. For development.',
    (text) => oneOf('off', ['on', 'off'])(text) === 'on',
  ),
  LOG_LEVEL: setting(
    'info',
    'trace, debug, info, warn, error, fatal or silent.',
    oneOf('info', ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
  ),
}

type Settings = typeof settings
type Value<K extends keyof Settings> = ReturnType<Settings[K]['parse']>

export interface Config {
  readonly port: Value<'PORT'>
  readonly host: Value<'HOST'>
  readonly databaseUrl: Value<'DATABASE_URL'>
  readonly dataDir: Value<'DATA_DIR'>
  readonly secret: Value<'PLINTH_SECRET'>
  readonly rolePrefix: Value<'PLINTH_ROLE_PREFIX'>
  readonly poolSize: Value<'PLINTH_POOL_SIZE'>
  readonly pluginsRoot: Value<'PLINTH_PLUGINS_ROOT'>
  readonly demo: boolean
  readonly debugErrors: Value<'PLINTH_DEBUG_ERRORS'>
  readonly logLevel: Value<'LOG_LEVEL'>
}

/**
 * Kubernetes tells every pod where the services of its namespace are: beside one that is called `plinth` or `plinth-db`
 * there is PLINTH_SERVICE_HOST, PLINTH_PORT_3000_TCP, or PLINTH_DB_PORT=tcp://..., which nobody set for us.
 */
function isServiceLink(name: string, value = ''): boolean {
  if (/_PORT$/.test(name) && /^(?:tcp|udp|sctp):\/\//.test(value)) return true
  return /_(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)$/.test(
    name,
  )
}

/**
 * The configuration in `env`.
 * Throws one Error that names every wrong setting, one a line, and every PLINTH_ name that does not exist.
 */
export function loadConfig(env: Readonly<Record<string, string | undefined>> = process.env): Config {
  const problems: string[] = []
  function read<K extends keyof Settings>(name: K): Value<K>
  function read(name: keyof Settings): unknown {
    try {
      return settings[name].parse(env[name] === '' ? undefined : env[name])
    } catch (error) {
      problems.push(`${name} ${error instanceof Error ? error.message : String(error)}`)
      return undefined
    }
  }
  const databaseUrl = read('DATABASE_URL')
  const config: Config = {
    port: read('PORT'),
    host: read('HOST'),
    databaseUrl,
    dataDir: read('DATA_DIR'),
    secret: read('PLINTH_SECRET'),
    rolePrefix: read('PLINTH_ROLE_PREFIX'),
    poolSize: read('PLINTH_POOL_SIZE'),
    pluginsRoot: read('PLINTH_PLUGINS_ROOT'),
    demo: read('PLINTH_DEMO') ?? databaseUrl === undefined,
    debugErrors: read('PLINTH_DEBUG_ERRORS'),
    logLevel: read('LOG_LEVEL'),
  }
  for (const name of Object.keys(env)) {
    if (name.startsWith('PLINTH_') && !(name in settings) && !isServiceLink(name, env[name])) {
      problems.push(`${name} is not a setting of Plinth (see docs/settings.md)`)
    }
  }
  if (problems.length > 0) throw new Error(`The settings are not right:\n  ${problems.join('\n  ')}`)
  return Object.freeze(config)
}
