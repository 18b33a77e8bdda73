// What stands between a version and serving it beside the versions that others have, each a sentence that says which
// versions would do.
import type { Manifest } from '@plinth/sdk'
import { fits } from '../entitlements/fits.ts'
import { type KnownVersion, readKnownVersions, rowsOf, whatWouldDo } from '../entitlements/known-versions.ts'
import { unmetAmongTenants } from '../entitlements/needs-in-tenants.ts'
import { readCode, readPlugin } from '../registry/plugin-store.ts'
import type { LifecycleParts } from './lifecycle-parts.ts'

type Parts = Pick<LifecycleParts, 'pool' | 'registry'>

/** Beside the stable versions of the others, and beside those that tenants are pinned to or try. */
export async function unmetBy(
  parts: Parts,
  release: KnownVersion,
  channel: 'stable' | 'beta' = 'stable',
): Promise<string[]> {
  const { module, version, uses } = release
  const read = rowsOf(parts.pool)
  const known = [...(await readKnownVersions(read)), release]
  const others = parts.registry.plugins
  const own: string[] = []
  for (const [used, { range, optional }] of Object.entries(uses)) {
    const other = others.get(used)
    if (other ? fits(other.version, range) : optional) continue
    const is = other ? `${other.version} is installed` : `which is ${await absence(parts, used)}`
    const needs = other
      ? `needs the module '${used}' ${range}, and ${is}`
      : `needs the module '${used}', ${is}`
    own.push(
      `The module '${module}' ${needs}. ${whatWouldDo(known, { user: module, used, range }, other?.version)}`,
    )
  }
  const needing = [...others.values()].flatMap(({ manifest }) => {
    const use = manifest.uses[module]
    if (!use || manifest.name === module || fits(version, use.range)) return []
    const would = whatWouldDo(known, { user: manifest.name, used: module, range: use.range }, version)
    return [`The module '${manifest.name}' needs '${module}' ${use.range}, and this is ${version}. ${would}`]
  })
  return [...own, ...needing, ...(await unmetAmongTenants(read, { ...release, channel }))]
}

/** The same for a version that is in this installation. */
export async function unmetByKnown(parts: Parts, module: string, version: string): Promise<string[]> {
  const { uses } = (await readCode(parts.pool, module, version)).shippedManifest as Manifest
  return unmetBy(parts, { module, version, uses })
}

const absence = async ({ pool }: Parts, module: string): Promise<string> =>
  (await readPlugin(pool, module))?.state === 'disabled' ? 'disabled' : 'not installed'
