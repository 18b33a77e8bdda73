// Whether the versions that tenants have of modules fit each other: a tenant that is pinned, or on the beta channel, has
// other versions than everybody.

import { fits } from './fits.ts'
import { type KnownVersion, type ReadRows, readKnownVersions, whatWouldDo } from './known-versions.ts'
import { type ServedRow, versionFor } from './tenant-version.ts'

interface Pair {
  readonly user: string
  readonly userVersion: string
  readonly used: string
  readonly usedVersion: string
  /** `the tenant 'acme'`, `2 tenants ('acme' ...)`. */
  readonly whose: string
}

function misfitOf(known: readonly KnownVersion[], pair: Pair): string[] {
  const { user, userVersion, used, usedVersion, whose } = pair
  const one = known.find(({ module, version }) => module === user && version === userVersion)
  const use = one?.uses[used]
  if (!use || fits(usedVersion, use.range)) return []
  const would = whatWouldDo(known, { user, used, range: use.range }, usedVersion)
  return [
    `The module '${user}' ${userVersion} needs '${used}' ${use.range}, and for ${whose} it is ${usedVersion}. ${would}`,
  ]
}

/**
 * What does not fit between the module and the tenant's others, each a sentence, by the rows as the transaction sees them.
 * Other versions are not served before it ends.
 */
export async function unmetInTenant(
  read: ReadRows,
  tenant: { readonly id: string; readonly slug?: string },
  module: string,
): Promise<string[]> {
  const known = await readKnownVersions(read)
  const related = relatedTo(module, known)
  if (related.length === 0) return []
  await read('SELECT FROM kernel.plugin WHERE module = ANY($1) ORDER BY module FOR SHARE', [
    [module, ...related],
  ])
  const rows = await read<ServedRow & { pinned: string | null; channel: 'stable' | 'beta' }>(
    `SELECT m.module, m.channel, m.pinned, p.stable, p.beta, p.candidate, p.canary_percent AS "canaryPercent",
            p.canary_tenants AS "canaryTenants"
       FROM kernel.tenant_module m JOIN kernel.plugin p USING (module) WHERE m.tenant_id = $1`,
    [tenant.id],
  )
  const versionOf = (name: string): string | undefined => {
    const row = rows.find((one) => one.module === name)
    if (!row) return undefined
    const choice = { channel: row.channel, ...(row.pinned === null ? {} : { pinned: row.pinned }) }
    return versionFor(row, { id: tenant.id, modules: new Map([[name, choice]]) }) ?? undefined
  }
  const version = versionOf(module)
  if (version === undefined) return []
  const whose = tenant.slug === undefined ? 'this tenant' : `the tenant '${tenant.slug}'`
  return related.flatMap((name) => {
    const other = versionOf(name)
    const pairs = other === undefined ? [] : bothWays({ module, version }, { module: name, version: other })
    return pairs.flatMap((pair) => misfitOf(known, { ...pair, whose }))
  })
}

/**
 * What would not fit once tenants that follow the channel are given the version, each a sentence. Those for whom both
 * modules are at their stable version are left to module-needs.ts.
 */
export async function unmetAmongTenants(
  read: ReadRows,
  change: KnownVersion & { readonly channel: 'stable' | 'beta' },
): Promise<string[]> {
  const { module, version, channel } = change
  const known = [change, ...(await readKnownVersions(read)).filter((one) => !isSame(one, change))]
  const rows = await read<{ other: string; version: string; tenants: number; slug: string }>(
    `WITH concerned AS (
       SELECT m.tenant_id FROM kernel.tenant_module m LEFT JOIN kernel.plugin p USING (module)
        WHERE m.module = $1 AND m.pinned IS NULL
          AND CASE WHEN $3 = 'beta' THEN m.channel = 'beta' ELSE m.channel <> 'beta' OR p.beta IS NULL OR p.beta = $2 END),
     pairs AS (
       SELECT o.module AS other, p.stable, t.slug,
              unnest(ARRAY[coalesce(o.pinned, CASE WHEN o.channel = 'beta' THEN p.beta END, p.stable), p.candidate]) AS version
         FROM concerned JOIN kernel.tenant_module o USING (tenant_id)
         JOIN kernel.plugin p ON p.module = o.module JOIN kernel.tenant t ON t.id = tenant_id
        WHERE o.module = ANY($4))
     SELECT other, version, count(*)::int AS tenants, min(slug) AS slug FROM pairs
      WHERE version IS NOT NULL AND ($3 = 'beta' OR version IS DISTINCT FROM stable) GROUP BY other, version
      ORDER BY other, version`,
    [module, version, channel, relatedTo(module, known)],
  )
  return rows.flatMap((row) => {
    const whose =
      row.tenants === 1 ? `the tenant '${row.slug}'` : `${row.tenants} tenants ('${row.slug}' ...)`
    return bothWays({ module, version }, { module: row.other, version: row.version }).flatMap((pair) =>
      misfitOf(known, { ...pair, whose }),
    )
  })
}

const isSame = (one: KnownVersion, other: KnownVersion): boolean =>
  one.module === other.module && one.version === other.version

function relatedTo(module: string, known: readonly KnownVersion[]): string[] {
  const users = known.filter((one) => one.module !== module && one.uses[module]).map((one) => one.module)
  const used = known.flatMap((one) => (one.module === module ? Object.keys(one.uses) : []))
  return [...new Set([...users, ...used])].filter((name) => name !== module)
}

type Of = Pick<KnownVersion, 'module' | 'version'>

const bothWays = (one: Of, other: Of): Omit<Pair, 'whose'>[] =>
  [
    [one, other],
    [other, one],
  ].flatMap(([user, used]) =>
    user && used
      ? [{ user: user.module, userVersion: user.version, used: used.module, usedVersion: used.version }]
      : [],
  )
