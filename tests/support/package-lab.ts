// Attacks with packages: something hostile is published to a real registry, fetched, and admitted in real sandbox hosts.
import pino from 'pino'
import type { Test } from 'tap'
import { allStand, type Defence, type DefencesOff } from '../../kernel/src/defences.ts'
import { type AdmissionParts, admitFetched } from '../../kernel/src/registry/packages/admit-fetched.ts'
import {
  type FetchedPlugin,
  fetchPluginPackage,
  type PackageRequest,
} from '../../kernel/src/registry/packages/fetch-plugin-package.ts'
import { type PackageLimits, packageLimits } from '../../kernel/src/registry/packages/package-limits.ts'
import { createHostStarter } from '../../kernel/src/sandbox/supervisor.ts'
import { type FrontRequest, type Publication, startFront, startRegistry } from './npm-registry.ts'
import { type ArchiveEntry, archiveOf, type MadePackage, packageEntries } from './package-archive.ts'

export interface Hostile {
  readonly made?: MadePackage
  /** After the entries of the package. */
  readonly more?: readonly ArchiveEntry[]
  /** Instead of an archive of both. */
  readonly tarball?: Buffer
  readonly publication?: Partial<Publication>
  /** What stands in front of the registry. */
  readonly front?: (asked: FrontRequest) => boolean | Promise<boolean>
  readonly request?: Partial<PackageRequest>
  readonly limits?: Partial<PackageLimits>
  readonly owners?: AdmissionParts['owners']
}

export interface Attack {
  readonly attack: string
  /** The wall that this attack meets. */
  readonly defence?: Defence
  /** Why the package is refused, or the code of another error. */
  readonly expected: string
  readonly hostile: Hostile
}

export interface Lab {
  fetch(hostile: Hostile, off?: DefencesOff): Promise<FetchedPlugin>
  /** Fetched and admitted. */
  install(hostile: Hostile, off?: DefencesOff): Promise<FetchedPlugin>
}

interface Ending {
  teardown(work: () => Promise<unknown>): void
}

export async function startPackageLab(t: Ending): Promise<Lab> {
  const registry = await startRegistry(t)
  const log = pino({ level: 'silent' })
  const startHost = await createHostStarter(log)
  let published = 0

  async function fetch(
    { made = {}, more = [], tarball, publication, front, request, limits }: Hostile,
    off = allStand,
  ): Promise<FetchedPlugin> {
    // Nobody publishes over a version; each attack has its own.
    published += 1
    const name = made.name ?? '@acme/notes'
    const version = `1.0.${published}`
    const entries = [...packageEntries({ ...made, version }), ...more]
    await registry.publish({ name, version, tarball: tarball ?? archiveOf(entries), ...publication })
    const url = front ? await startFront(t, registry, front) : registry.url
    return await fetchPluginPackage(
      { registry: { url }, name, version, ...request },
      { ...packageLimits, ...limits },
      off,
    )
  }

  return {
    fetch,
    async install(hostile, off = allStand) {
      const fetched = await fetch(hostile, off)
      const parts = {
        startHost: (name: string, bundle: string) => startHost({ name, bundle, log }),
        owners: hostile.owners ?? new Map<string, string>(),
      }
      await admitFetched(fetched, parts, off)
      return fetched
    },
  }
}

/** What is found out in the sandbox, or after it. */
const admission = ['manifest', 'migrations', 'name', 'sdk']

/** Each attack is refused for its reason; and with its wall off, if it has one, gets through. */
export async function attackWith(t: Test, attacks: readonly Attack[]): Promise<void> {
  const lab = await startPackageLab(t)
  for (const { attack, defence, expected, hostile } of attacks) {
    await t.test(attack, async (t) => {
      const attempt = admission.includes(expected) ? lab.install : lab.fetch
      const refused = { code: 'PACKAGE_REFUSED', status: 422, data: { reason: expected } }
      await t.rejects(attempt(hostile), /^[A-Z_]+$/.test(expected) ? { code: expected } : refused)
      if (defence) await t.resolves(attempt(hostile, new Set([defence])), `gets through without ${defence}`)
    })
  }
}
