// Plugins: where they come from and what they are let do.
import { resolve } from 'node:path'
import { integer, list, matching, oneOf, setting } from './setting.ts'

function registryUrl(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const url = URL.parse(text)
  const isLocal = url !== null && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  if (url?.protocol !== 'https:' && !(url?.protocol === 'http:' && isLocal)) {
    throw new Error(`must be an https URL, or http on loopback, not '${text}'`)
  }
  return text
}

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

export const pluginSettings = {
  pluginsRoot: setting(
    'PLINTH_PLUGINS_ROOT',
    'the working directory',
    'Folder of the installation: the plugins are among the dependencies of its package.json.',
    (text) => resolve(text ?? '.'),
  ),
  registry: setting(
    'PLINTH_REGISTRY',
    'none: nothing can be installed while the kernel runs',
    'URL of the npm registry that plugins are installed from while the kernel runs. `http` only on loopback.',
    registryUrl,
  ),
  registryToken: setting(
    'PLINTH_REGISTRY_TOKEN',
    'none',
    'Sent to that registry as a bearer token.',
    (text) => text,
  ),
  packagesAllowed: setting(
    'PLINTH_PACKAGES_ALLOWED',
    'all',
    'Packages that may be installed, with commas: names, and scopes as `@acme/*`.',
    list,
  ),
  packagesRequire: setting(
    'PLINTH_PACKAGES_REQUIRE',
    'none',
    'What a package must have besides its integrity: `signatures` of the registry, `provenance`, or both with a comma. What is there is verified in any case.',
    (text) =>
      list(text)?.map((one) =>
        oneOf<'signatures' | 'provenance'>('signatures', ['signatures', 'provenance'])(one),
      ),
  ),
  coolOffDays: setting(
    'PLINTH_PACKAGES_COOL_OFF_DAYS',
    '0',
    'Versions published less than so many days ago are refused.',
    integer(0, 0, 365),
  ),
  plainHosts: setting(
    'PLINTH_FETCH_PLAIN_HOSTS',
    'none',
    'Hosts, such as `mock.test:8080,other.test`, that plugins and webhooks of all tenants may reach by http too and at inner addresses. For development and tests.',
    hosts,
  ),
  trustedPlugins: setting(
    'PLINTH_TRUSTED_PLUGINS',
    'none',
    "Names of packages, with commas between them, whose plugins run in the kernel's process: faster, **without any wall and with the kernel's full rights**. See [trusting a plugin](security.md#trusting-a-plugin).",
    packageNames,
  ),
}
