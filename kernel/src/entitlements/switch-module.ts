// Switching a module on or off for a tenant. Modules that need others come after them and go before them.
import { auditedBy } from '../audit/write-audit.ts'
import { errors } from '../errors.ts'
import type { LoadedPlugin } from '../registry/load-plugin.ts'
import type { Located } from '../stages.ts'
import type { ControlTransaction, RunControl } from '../tenants/control-transaction.ts'
import { consentToAll, type GivenConsent } from './consent.ts'
import { endAbsence, holdDispatch, noteAbsence } from './module-absence.ts'

/** Names of the modules that `plugin` cannot work without. */
export const requiredModules = (plugin: LoadedPlugin): string[] =>
  Object.entries(plugin.manifest.uses)
    .filter(([, use]) => !use.optional)
    .map(([name]) => name)

export type ModulePlugins = ReadonlyMap<string, LoadedPlugin>

/** In which tenant, and who does it. */
export interface ModuleSwitcher extends Pick<Located, 'requestId' | 'agent' | 'traceparent' | 'onBehalfOf'> {
  readonly address?: string
  readonly actor: Pick<Located['actor'], 'id'>
  readonly tenant: Pick<Located['tenant'], 'id'>
}

// Two switches of one tenant at once could each miss what the other did: they take turns on the tenant's row,
// and what is enabled is read by a statement of its own, whose snapshot begins after the wait.
async function lockModules(tx: ControlTransaction, tenantId: string): Promise<string[]> {
  await tx.query('SELECT id FROM kernel.tenant WHERE id = $1 FOR UPDATE', [tenantId])
  const rows = await tx.query<{ module: string }>(
    'SELECT module FROM kernel.tenant_module WHERE tenant_id = $1',
    [tenantId],
  )
  return rows.map((row) => row.module)
}

/**
 * `eventAttempts`: how often it is tried with each event that it missed.
 * @throws MODULE_NOT_FOUND, MODULE_ALREADY_ENABLED, MODULE_REQUIRES_OTHERS, CONSENT_REQUIRED
 */
export const enableModule = (
  runControl: RunControl,
  plugins: ModulePlugins,
  by: ModuleSwitcher,
  module: string,
  consent: GivenConsent | undefined,
  eventAttempts: number,
): Promise<void> =>
  runControl(async (tx) => {
    await holdDispatch(tx)
    await enableModuleWithin(tx, plugins, by, module, consent)
    await endAbsence(tx, by.tenant.id, module, eventAttempts)
  })

/** As a part of a larger change, such as a new tenant. @throws what `enableModule` throws */
export async function enableModuleWithin(
  tx: ControlTransaction,
  plugins: ModulePlugins,
  by: ModuleSwitcher,
  module: string,
  consent?: GivenConsent,
): Promise<void> {
  const plugin = plugins.get(module)
  if (!plugin) throw errors.moduleNotFound({ module })
  const enabled = await lockModules(tx, by.tenant.id)
  // Its removal waits for this to end, or has begun: then nothing is to be left behind.
  const there = await tx.query(
    `SELECT module FROM kernel.plugin WHERE module = $1 AND state IN ('active', 'held') FOR SHARE`,
    [module],
  )
  if (there.length === 0) throw errors.moduleNotFound({ module })
  if (enabled.includes(module)) throw errors.moduleAlreadyEnabled({ module })
  const requires = requiredModules(plugin).filter((name) => !enabled.includes(name))
  if (requires.length > 0) throw errors.moduleRequires({ module, requires })
  await tx.query('INSERT INTO kernel.tenant_module (tenant_id, module, enabled_by) VALUES ($1, $2, $3)', [
    by.tenant.id,
    module,
    by.actor.id,
  ])
  await tx.audit({ ...auditOf(by, module), action: 'enabled', after: { version: plugin.version } })
  await consentToAll(tx, by, plugin, consent)
  await tx.announce({ kind: 'tenant', id: by.tenant.id })
}

/**
 * The module's data stays: switching it on again finds everything as it was, but for consent and secrets, which end
 * with it (by foreign keys).
 * @throws MODULE_REQUIRED_BY_OTHERS
 */
export async function disableModule(
  runControl: RunControl,
  plugins: ModulePlugins,
  by: Located,
  module: string,
): Promise<void> {
  await runControl(async (tx) => {
    await holdDispatch(tx)
    const enabled = await lockModules(tx, by.tenant.id)
    if (!enabled.includes(module)) throw errors.moduleNotInUse({ module })
    const requiredBy = enabled.filter((name) => {
      const other = plugins.get(name)
      return other !== undefined && requiredModules(other).includes(module)
    })
    if (requiredBy.length > 0) throw errors.moduleRequired({ module, requiredBy })
    await tx.query('DELETE FROM kernel.tenant_module WHERE tenant_id = $1 AND module = $2', [
      by.tenant.id,
      module,
    ])
    await noteAbsence(tx, by.tenant.id, module)
    await tx.audit({ ...auditOf(by, module), action: 'disabled' })
    await tx.announce({ kind: 'tenant', id: by.tenant.id })
  })
}

const auditOf = (by: ModuleSwitcher, module: string) => ({
  tenantId: by.tenant.id,
  ...auditedBy(by),
  entity: 'module',
  recordId: module,
})
