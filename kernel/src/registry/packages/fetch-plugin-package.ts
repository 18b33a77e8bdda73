// A plugin from an npm registry, as texts in memory: found, verified, unpacked and read, in this order, and nothing of it run.
// What its code says is asked later, in a sandbox, by admit-fetched.ts.
import { createHash } from 'node:crypto'
import { allStand, type DefencesOff } from '../../defences.ts'
import { findVersion, type PublishedVersion } from './find-version.ts'
import { type PackageLimits, packageLimits } from './package-limits.ts'
import { isAllowed, isPackageName } from './package-names.ts'
import { readArchive } from './read-archive.ts'
import { type PluginContents, readContents } from './read-contents.ts'
import { type Refuse, refusalsOf, shown } from './refusal.ts'
import { openRegistry, type Registry, type RegistryClient } from './registry-client.ts'
import { type ProvenanceTrust, verifyProvenance } from './verify-provenance.ts'
import { verifySignatures } from './verify-signatures.ts'

export interface PackageRequest {
  readonly registry: Registry
  readonly name: string
  /** Exact, a range or a tag. */
  readonly version: string
  /** The operator's pin: `sha512-` and its base64. */
  readonly integrity?: string
  /** Version to integrity of what was fetched of this package before. The same version never has other bytes. */
  readonly known?: ReadonlyMap<string, string>
  readonly require?: readonly ('signatures' | 'provenance')[]
  readonly trust?: ProvenanceTrust
  /** Versions that were published less than so many days ago are refused. */
  readonly minAgeDays?: number
  /** Names, and scopes as `@acme/*`. Everything when it is not given. */
  readonly allow?: readonly string[]
  readonly allowDeprecated?: boolean
  /** What is compared with the time of publication. */
  readonly now?: Date
}

export interface FetchedPlugin extends PluginContents {
  readonly package: string
  /** Exact. */
  readonly version: string
  /** sha512 of the archive from which bundle, manifest and migrations were read. */
  readonly integrity: string
  /** As the registry says. */
  readonly publishedAt?: Date
  readonly provenance: 'verified' | 'absent'
  readonly signatures: 'verified' | 'absent'
}

const dayMs = 86_400_000

/** @throws PACKAGE_NOT_FOUND, PACKAGE_REFUSED or REGISTRY_UNAVAILABLE */
export async function fetchPluginPackage(
  request: PackageRequest,
  limits: PackageLimits = packageLimits,
  off: DefencesOff = allStand,
): Promise<FetchedPlugin> {
  const refuse = refusalsOf(shown(request.name), shown(request.version))
  if (!isPackageName(request.name)) throw refuse('name', 'That is not a name that a package can have.')
  if (!isAllowed(request.name, request.allow)) throw refuse('not-allowed', 'The operator does not allow it.')
  const client = openRegistry(request.registry, limits.deadlineMs, refuse)
  try {
    const found = await findVersion(client, request, limits, refuse)
    const refuseVersion = refusalsOf(found.name, found.version)
    refuseByPolicy(found, request, refuseVersion)
    if (!off.has('packageIntegrity')) refuseOtherHash(found.integrity, found, request, refuseVersion)
    const proofs = await verifyProofs(client, found, request, limits.proof, refuseVersion)
    const tarball = await download(client, found, limits.tarball, refuseVersion)
    const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`
    if (integrity !== found.integrity && !off.has('packageIntegrity'))
      throw refuseVersion(
        'integrity',
        `Its archive is ${integrity}, and the registry promised ${found.integrity}.`,
      )
    const files = await readArchive(tarball, limits, refuseVersion, off)
    return {
      package: found.name,
      version: found.version,
      integrity,
      ...(found.publishedAt === undefined ? {} : { publishedAt: found.publishedAt }),
      ...proofs,
      ...readContents(files, found, limits, refuseVersion, off),
    }
  } finally {
    await client.close()
  }
}

function refuseByPolicy(found: PublishedVersion, request: PackageRequest, refuse: Refuse): void {
  const { deprecated, publishedAt } = found
  if (deprecated && !request.allowDeprecated)
    throw refuse('deprecated', `Its publisher says: '${shown(deprecated)}'.`)
  const { minAgeDays = 0, now = new Date() } = request
  if (minAgeDays <= 0) return
  if (!publishedAt)
    throw refuse(
      'too-young',
      `The registry does not say when it was published; ${minAgeDays} days are asked for.`,
    )
  const from = new Date(publishedAt.getTime() + minAgeDays * dayMs)
  if (from > now)
    throw refuse(
      'too-young',
      `It may be installed from ${from.toISOString()}, ${minAgeDays} days after it was published.`,
    )
}

/** What the registry promises now, against what the operator and the past say. */
function refuseOtherHash(
  integrity: string,
  { version }: PublishedVersion,
  { integrity: pinned, known }: PackageRequest,
  refuse: Refuse,
): void {
  if (pinned !== undefined && pinned !== integrity)
    throw refuse('integrity', `The registry has ${integrity}, and ${shown(pinned)} is pinned.`)
  const before = known?.get(version)
  if (before !== undefined && before !== integrity)
    throw refuse('integrity', `The registry has ${integrity}, and the same version was ${before} before.`)
}

async function verifyProofs(
  client: RegistryClient,
  found: PublishedVersion,
  { registry, trust = {}, require = [] }: PackageRequest,
  limit: number,
  refuse: Refuse,
) {
  const signatures = await verifySignatures(client, registry.keys, found, limit, refuse)
  if (signatures === 'absent' && require.includes('signatures'))
    throw refuse(
      'signature',
      'The registry has no signature of it that can be verified, and one is required.',
    )
  const provenance = await verifyProvenance(client, trust, found, limit, refuse)
  if (provenance === 'absent' && require.includes('provenance'))
    throw refuse('provenance', 'It has no provenance that can be verified, and one is required.')
  return { signatures, provenance }
}

async function download(
  client: RegistryClient,
  { dist: { tarball } }: PublishedVersion,
  limit: number,
  refuse: Refuse,
): Promise<Buffer> {
  if (!URL.canParse(tarball))
    throw refuse('address', `The address of its archive is no URL: '${shown(tarball)}'.`)
  const ask = {
    accept: 'application/octet-stream',
    limit,
    what: 'its archive',
    alsoHost: new URL(tarball).host,
  }
  const bytes = await client.get(tarball, ask)
  if (!bytes) throw refuse('contents', 'The registry lists it and does not have its archive.')
  return bytes
}
