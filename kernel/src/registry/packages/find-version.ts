// What a registry says about one version of a package. The version asked for is exact, a range or a tag; it is made exact
// once, here, from one packument.
import semver from 'semver'
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import { errors } from '../../errors.ts'
import type { PackageLimits } from './package-limits.ts'
import { isRecord } from './parse-json.ts'
import { type Refuse, shown } from './refusal.ts'
import type { RegistryClient } from './registry-client.ts'

const text = Type.String({ maxLength: 2_000 })
const versionSchema = Type.Object({
  name: text,
  version: text,
  deprecated: Type.Optional(Type.Unknown()),
  dist: Type.Object({
    tarball: text,
    integrity: Type.Optional(text),
    signatures: Type.Optional(Type.Array(Type.Object({ keyid: text, sig: text }), { maxItems: 20 })),
    attestations: Type.Optional(Type.Object({ url: text })),
  }),
})
const compiled = Compile(versionSchema)

export type PublishedVersion = Type.Static<typeof versionSchema> & {
  /** `sha512-` and its base64. */
  readonly integrity: string
  /** When it was published, as the registry says. */
  readonly publishedAt?: Date
}

/** npm's own abbreviation of a packument has no `time`. */
const accept = 'application/json'

const longestRange = 200

function ownText(record: unknown, key: string): string | undefined {
  const value = isRecord(record) && Object.hasOwn(record, key) ? record[key] : undefined
  return typeof value === 'string' ? value : undefined
}

/** npm's order: a version, else a range, else a tag. Too young or deprecated is for others to refuse, not to step around. */
function exactVersion(packument: Record<string, unknown>, wanted: string): string | undefined {
  if (wanted.length > longestRange) return undefined
  const versions = isRecord(packument['versions']) ? Object.keys(packument['versions']) : []
  if (semver.valid(wanted) === wanted) return versions.includes(wanted) ? wanted : undefined
  if (semver.validRange(wanted) !== null) {
    return (
      semver.maxSatisfying(
        versions.filter((version) => semver.valid(version) === version),
        wanted,
      ) ?? undefined
    )
  }
  const tagged = ownText(packument['dist-tags'], wanted)
  return tagged !== undefined && versions.includes(tagged) && semver.valid(tagged) === tagged
    ? tagged
    : undefined
}

async function readPackument(client: RegistryClient, name: string, limits: PackageLimits, refuse: Refuse) {
  const body = await client.get(name.replace('/', '%2f'), {
    accept,
    limit: limits.packument,
    what: 'the list of versions',
  })
  if (!body) return undefined
  let packument: unknown
  try {
    packument = JSON.parse(body.toString('utf8'))
  } catch (cause) {
    throw errors.registryUnavailable(
      { registry: client.url, detail: 'its list of versions is not JSON.' },
      cause,
    )
  }
  if (!isRecord(packument)) {
    throw errors.registryUnavailable({ registry: client.url, detail: 'its list of versions is no object.' })
  }
  if (packument['name'] !== name)
    throw refuse('name', `The registry answers with '${shown(packument['name'])}'.`)
  const { versions } = packument
  // Each is parsed when a range is asked for: a list that is one to fill the time is not looked at.
  if (isRecord(versions) && Object.keys(versions).length > limits.versions)
    throw refuse('too-large', `The registry lists more than ${limits.versions} versions.`)
  return packument
}

export async function findVersion(
  client: RegistryClient,
  { name, version: wanted }: { readonly name: string; readonly version: string },
  limits: PackageLimits,
  refuse: Refuse,
): Promise<PublishedVersion> {
  const packument = await readPackument(client, name, limits, refuse)
  const version = packument && exactVersion(packument, wanted)
  if (!packument || version === undefined) {
    throw errors.packageNotFound({ package: name, version: shown(wanted), registry: client.url })
  }
  const versions: unknown = packument['versions']
  const found: unknown = isRecord(versions) ? versions[version] : undefined
  if (!compiled.Check(found)) {
    const first = compiled.Errors(found)[0]
    throw refuse(
      'version',
      `In what the registry says of it, ${first?.instancePath || 'all'} ${first?.message}.`,
    )
  }
  if (found.name !== name || found.version !== version)
    throw refuse('name', `The registry lists it as ${shown(`${found.name}@${found.version}`)}.`)
  const { integrity } = found.dist
  if (integrity === undefined || !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity))
    throw refuse(
      'integrity',
      `The registry names no sha512 of it${integrity === undefined ? '' : ` alone: '${shown(integrity)}'`}.`,
    )
  const published = Date.parse(ownText(packument['time'], version) ?? '')
  return { ...found, integrity, ...(Number.isNaN(published) ? {} : { publishedAt: new Date(published) }) }
}
