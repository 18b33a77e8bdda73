// The settings, read from the environment once, checked together, frozen. Nobody else reads process.env.
// docs/settings.md is checked against `settings` below.
import { databaseSettings } from './settings/database-settings.ts'
import { peopleSettings } from './settings/people-settings.ts'
import { pluginSettings } from './settings/plugin-settings.ts'
import { queueSettings } from './settings/queue-settings.ts'
import { serverSettings } from './settings/server-settings.ts'
import { tenancySettings } from './settings/tenancy-settings.ts'
import { tokenSettings } from './settings/token-settings.ts'
import { trafficSettings } from './settings/traffic-settings.ts'

/** Every setting, under its name in the configuration. */
export const settings = {
  ...serverSettings,
  ...databaseSettings,
  ...tenancySettings,
  ...peopleSettings,
  ...pluginSettings,
  ...tokenSettings,
  ...trafficSettings,
  ...queueSettings,
}

type Settings = typeof settings
/** What they are when nothing is said hangs on another setting. */
type Derived = 'demo' | 'verifyEmail'

export type Config = {
  readonly [K in Exclude<keyof Settings, Derived>]: ReturnType<Settings[K]['parse']>
} & { readonly demo: boolean; readonly verifyEmail: 'required' | 'optional' }

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
  const values = Object.entries(settings).map(([key, { name, parse }]): [string, unknown] => {
    try {
      return [key, parse(env[name] === '' ? undefined : env[name])]
    } catch (error) {
      problems.push(`${name} ${error instanceof Error ? error.message : String(error)}`)
      return [key, undefined]
    }
  })
  const names = new Set<string>(Object.values(settings).map(({ name }) => name))
  for (const name of Object.keys(env)) {
    if (name.startsWith('PLINTH_') && !names.has(name) && !isServiceLink(name, env[name])) {
      problems.push(`${name} is not a setting of Plinth (see docs/settings.md)`)
    }
  }
  if (problems.length > 0) throw new Error(`The settings are not right:\n  ${problems.join('\n  ')}`)
  // Each value is what the parser under its key made of its text.
  const config = Object.fromEntries(values) as Omit<Config, Derived> & {
    readonly [K in Derived]: ReturnType<Settings[K]['parse']>
  }
  return Object.freeze({
    ...config,
    demo: config.demo ?? config.databaseUrl === undefined,
    verifyEmail: config.verifyEmail ?? (config.smtpUrl === undefined ? 'optional' : 'required'),
  })
}
