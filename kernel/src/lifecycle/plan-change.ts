// The dry run: what an operation would do, who is touched by it, and why it would be refused.
import type { Manifest } from '@plinth/sdk'
import type { MigrationPlan } from '../data/plugin-migrations/plan-plugin-migrations.ts'
import { errors, isPlinthError } from '../errors.ts'
import { readCode, readPlugin } from '../registry/plugin-store.ts'
import { findRelease } from './fetch-step.ts'
import type { ChangeRequest } from './lifecycle.ts'
import { installed, type LifecycleParts } from './lifecycle-parts.ts'
import { refuseRemoval, refuseWhileNeeded } from './remove-steps.ts'
import { enableRefusal, rollbackRefusal } from './serve-steps.ts'
import { sharedTablesRefusal } from './table-steps.ts'
import { unmetBy, unmetByKnown } from './unmet-needs.ts'

export interface ChangePlan {
  readonly kind: ChangeRequest['kind']
  readonly module: string
  readonly package: string
  readonly from?: string
  readonly to?: string
  /** Give it back with the request, and exactly these bytes are installed. */
  readonly integrity?: string
  readonly signatures?: string
  readonly provenance?: string
  /** Powers beyond its own records that the version asks for, and those that the version before did not. */
  readonly asks?: Manifest['needs']
  readonly newAsks?: readonly string[]
  readonly migrations?: MigrationPlan
  /** Requests wait while tables change that the version before could not live with. */
  readonly holdsRequests: boolean
  /** Tenants that have the module enabled. */
  readonly tenants: { readonly count: number; readonly slugs: readonly string[] }
  /** Why it would be refused; empty when nothing stands against it. */
  readonly refusals: readonly string[]
}

const mostSlugs = 20

export async function planChange(parts: LifecycleParts, request: ChangeRequest): Promise<ChangePlan> {
  if (request.kind === 'install' || request.kind === 'upgrade') return planRelease(parts, request)
  const module = request.module ?? ''
  const row = await installed(parts, module)
  const refusals: string[] = []
  const to = request.version ?? row.previous
  if (request.kind === 'rollback') {
    const reason =
      to === null ? `'${module}' has no version to go back to.` : await rollbackRefusal(parts, module, to)
    if (reason !== undefined) refusals.push(reason)
    else if (to !== null) refusals.push(...(await unmetByKnown(parts, module, to)))
  }
  if (request.kind === 'enable') {
    const reason = await enableRefusal(parts, row)
    if (reason !== undefined) refusals.push(reason)
  }
  try {
    if (request.kind === 'remove') await refuseRemoval(parts, module, request.options.force === true)
    if (request.kind === 'disable') refuseWhileNeeded(parts, module)
  } catch (error) {
    if (!isPlinthError(error)) throw error
    refusals.push(error.message)
  }
  return {
    kind: request.kind,
    module,
    package: row.package,
    ...(row.stable === null ? {} : { from: row.stable }),
    ...(request.kind === 'rollback' && to !== null ? { to } : {}),
    holdsRequests: false,
    tenants: await tenantsOf(parts, module),
    refusals,
  }
}

async function planRelease(parts: LifecycleParts, request: ChangeRequest): Promise<ChangePlan> {
  const row = request.module === undefined ? undefined : await installed(parts, request.module)
  const release = await findRelease(parts, {
    version: request.version ?? 'latest',
    ...(row ? { module: row.module } : {}),
    ...(request.package === undefined ? {} : { package: request.package }),
    ...(request.options.integrity === undefined ? {} : { integrity: request.options.integrity }),
  })
  const { module, manifest, code, facts } = release
  const refusals = await unmetBy(
    parts,
    { module, version: code.version, uses: manifest.uses },
    request.options.channel,
  )
  const taken = row ? undefined : await readPlugin(parts.pool, module)
  if (taken) refusals.push(errors.pluginInstalled({ module, package: taken.package }).message)
  const migrations = await parts.tables.plan(manifest, code.migrations).catch((error: unknown) => {
    refusals.push(error instanceof Error ? error.message : String(error))
    return undefined
  })
  const isExclusive = row !== undefined && migrations?.compatibility === 'exclusive'
  const shared = isExclusive ? sharedTablesRefusal(row, code.version, request) : undefined
  if (shared !== undefined) refusals.push(`${shared}, and its migrations do not allow that.`)
  const before = row?.stable ? await readCode(parts.pool, module, row.stable) : undefined
  return {
    kind: request.kind,
    module,
    package: code.package,
    ...(row?.stable ? { from: row.stable } : {}),
    to: code.version,
    ...facts,
    asks: manifest.needs,
    newAsks: newAsks((before?.shippedManifest as Manifest | undefined)?.needs ?? {}, manifest.needs),
    ...(migrations ? { migrations } : {}),
    holdsRequests: isExclusive && shared === undefined,
    tenants: await tenantsOf(parts, module),
    refusals,
  }
}

/** `http: api.bank.example`, `secrets: bankKey -> api.bank.example`, `sql: write`. */
function newAsks(before: Manifest['needs'], after: Manifest['needs']): string[] {
  const listed = ({ http = [], secrets = {}, sql }: Manifest['needs']): string[] => [
    ...http.map((host) => `http: ${host}`),
    ...Object.entries(secrets).map(([name, { host }]) => `secrets: ${name} -> ${host}`),
    ...(sql === undefined ? [] : [`sql: ${sql}`]),
  ]
  const had = new Set(listed(before))
  return listed(after).filter((one) => !had.has(one))
}

async function tenantsOf({ pool }: LifecycleParts, module: string): Promise<ChangePlan['tenants']> {
  const { rows } = await pool.query<{ slug: string; count: number }>(
    `SELECT t.slug, count(*) OVER ()::int AS count FROM kernel.tenant_module m JOIN kernel.tenant t ON t.id = m.tenant_id
      WHERE m.module = $1 ORDER BY t.slug LIMIT $2`,
    [module, mostSlugs],
  )
  return { count: rows[0]?.count ?? 0, slugs: rows.map((row) => row.slug) }
}
