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

function token(text: string | undefined): string | undefined {
  // Like the secret it is never repeated in the message.
  if (text !== undefined && !/^[\x21-\x7e]{16,256}$/.test(text)) {
    throw new Error('must have 16 to 256 characters, without spaces')
  }
  return text
}

function secret(text: string | undefined): string | undefined {
  if (text !== undefined && text.length < 32) throw new Error('must have at least 32 characters')
  return text
}

function bearerToken(text: string | undefined): string | undefined {
  // What a header cannot carry could never be sent.
  if (text !== undefined && !/^[\x21-\x7e]{32,512}$/.test(text))
    throw new Error('must have 32 to 512 characters, without spaces')
  return text
}

function registryUrl(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const url = URL.parse(text)
  const isLocal = url !== null && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  if (url?.protocol !== 'https:' && !(url?.protocol === 'http:' && isLocal)) {
    throw new Error(`must be an https URL, or http on loopback, not '${text}'`)
  }
  return text
}

const list = (text: string | undefined): readonly string[] | undefined =>
  text
    ?.split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')

function hosts(text: string | undefined): readonly string[] {
  const pattern = /^[a-z0-9-]+(\.[a-z0-9-]+)*(:[1-9]\d{0,4})?$/
  return (text ?? '')
    .split(',')
    .map((host) => host.trim())
    .filter((host) => host !== '')
    .map(matching(pattern, 'names in small letters, each with a port or without, with commas between them'))
}

// What npm takes for the name of a package. No patterns: trust is given by name.
const packageName = /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/

function packageNames(text: string | undefined): readonly string[] {
  const names = (text ?? '').split(',').map((name) => name.trim())
  const given = names.filter((name) => name !== '')
  const wrong = given.find((name) => !packageName.test(name))
  if (wrong !== undefined) throw new Error(`must be package names with commas between them, not '${wrong}'`)
  return Object.freeze([...new Set(given)])
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
  PLINTH_SIGNED_TENANT: setting(
    'off',
    'Signs the tenant of every database session, so that SQL which got past all checks cannot name another one: on or off. The same for every kernel process on one database; costs time (docs/decisions/0021).',
    (text) => oneOf('off', ['on', 'off'])(text) === 'on',
  ),
  PLINTH_PLUGINS_ROOT: setting(
    'the working directory',
    'Folder of the installation: the plugins are among the dependencies of its package.json.',
    (text) => resolve(text ?? '.'),
  ),
  PLINTH_OPERATOR_TOKEN: setting(
    'generated, kept in DATA_DIR',
    'At least 32 characters. Who sends it as a bearer token is the operator (`/v1/operator/*`, `plinth install` and the like).',
    bearerToken,
  ),
  PLINTH_REGISTRY: setting(
    'none: nothing can be installed while the kernel runs',
    'URL of the npm registry that plugins are installed from while the kernel runs. `http` only on loopback.',
    registryUrl,
  ),
  PLINTH_REGISTRY_TOKEN: setting('none', 'Sent to that registry as a bearer token.', (text) => text),
  PLINTH_PACKAGES_ALLOWED: setting(
    'all',
    'Packages that may be installed, with commas: names, and scopes as `@acme/*`.',
    list,
  ),
  PLINTH_PACKAGES_REQUIRE: setting(
    'none',
    'What a package must have besides its integrity: `signatures` of the registry, `provenance`, or both with a comma. What is there is verified in any case.',
    (text) =>
      list(text)?.map((one) =>
        oneOf<'signatures' | 'provenance'>('signatures', ['signatures', 'provenance'])(one),
      ),
  ),
  PLINTH_PACKAGES_COOL_OFF_DAYS: setting(
    '0',
    'Versions published less than so many days ago are refused.',
    integer(0, 0, 365),
  ),
  PLINTH_FETCH_PLAIN_HOSTS: setting(
    'none',
    'Hosts, such as `mock.test:8080,other.test`, that plugins may reach by http too and at inner addresses. For development and tests.',
    hosts,
  ),
  PLINTH_TRUSTED_PLUGINS: setting(
    'none',
    "Names of packages, with commas between them, whose plugins run in the kernel's process: faster, **without any wall and with the kernel's full rights**. See [trusting a plugin](security.md#trusting-a-plugin).",
    packageNames,
  ),
  PLINTH_DEMO: setting(
    'on with the embedded database, else off',
    'Makes the tenant `demo` with an owner at the first start: on or off.',
    (text) => (text === undefined ? undefined : oneOf('off', ['on', 'off'])(text) === 'on'),
  ),
  PLINTH_DEBUG_ERRORS: setting(
    'off',
    'Adds the stack of a failed plugin to the problem document, and what a request has used of its limits to the header `x-plinth-limits`: on or off. For development.',
    (text) => oneOf('off', ['on', 'off'])(text) === 'on',
  ),
  PLINTH_METRICS_TOKEN: setting(
    'none: /metrics answers this machine only',
    'At least 16 characters. Who sends it as `Authorization: Bearer <token>` may read /metrics, from anywhere.',
    token,
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
  readonly signedTenant: Value<'PLINTH_SIGNED_TENANT'>
  readonly pluginsRoot: Value<'PLINTH_PLUGINS_ROOT'>
  readonly operatorToken: Value<'PLINTH_OPERATOR_TOKEN'>
  readonly registry: Value<'PLINTH_REGISTRY'>
  readonly registryToken: Value<'PLINTH_REGISTRY_TOKEN'>
  readonly packagesAllowed: Value<'PLINTH_PACKAGES_ALLOWED'>
  readonly packagesRequire: Value<'PLINTH_PACKAGES_REQUIRE'>
  readonly coolOffDays: Value<'PLINTH_PACKAGES_COOL_OFF_DAYS'>
  readonly plainHosts: Value<'PLINTH_FETCH_PLAIN_HOSTS'>
  readonly trustedPlugins: Value<'PLINTH_TRUSTED_PLUGINS'>
  readonly demo: boolean
  readonly debugErrors: Value<'PLINTH_DEBUG_ERRORS'>
  readonly metricsToken: Value<'PLINTH_METRICS_TOKEN'>
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
    signedTenant: read('PLINTH_SIGNED_TENANT'),
    pluginsRoot: read('PLINTH_PLUGINS_ROOT'),
    operatorToken: read('PLINTH_OPERATOR_TOKEN'),
    registry: read('PLINTH_REGISTRY'),
    registryToken: read('PLINTH_REGISTRY_TOKEN'),
    packagesAllowed: read('PLINTH_PACKAGES_ALLOWED'),
    packagesRequire: read('PLINTH_PACKAGES_REQUIRE'),
    coolOffDays: read('PLINTH_PACKAGES_COOL_OFF_DAYS'),
    plainHosts: read('PLINTH_FETCH_PLAIN_HOSTS'),
    trustedPlugins: read('PLINTH_TRUSTED_PLUGINS'),
    demo: read('PLINTH_DEMO') ?? databaseUrl === undefined,
    debugErrors: read('PLINTH_DEBUG_ERRORS'),
    metricsToken: read('PLINTH_METRICS_TOKEN'),
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
