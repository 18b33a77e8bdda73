// Asks a tenant's organisation from outside any unit of work: it gets one of its own. What the kernel knows of teams, units
// and positions comes through the services that the module offers to everybody.
import { type AskOrganisation, textsIn } from '../approvals/approvers.ts'
import { parseFields } from '../data/field-kinds/parse-fields.ts'
import { fullAbility } from '../permissions/build-ability.ts'
import { noScopes, type ScopeSource } from '../permissions/scope-source.ts'
import type { PluginRegistry } from '../registry/plugin-registry.ts'
import type { Tenant } from '../stages.ts'
import type { TenantDirectory } from '../tenants/tenant-directory.ts'
import type { WorkLender } from './lend-work.ts'

/** The module that knows who belongs where. */
export const organisation = 'organisation'

/** Reads for whoever is asked about; nothing is written in its name. */
const kernelActor = { id: 'kernel', name: 'Kernel', email: '', session: '' }

/** Nothing where the tenant has no organisation. @throws MODULE_UNAVAILABLE */
export const organisationAsker =
  (parts: { readonly works: WorkLender; readonly registry: Pick<PluginRegistry, 'pluginFor'> }) =>
  (tenant: Tenant, requestId: string): AskOrganisation =>
  async (service, input) => {
    if (!tenant.modules.has(organisation)) return undefined
    const plugin = parts.registry.pluginFor(tenant, organisation)
    const spec = Object.hasOwn(plugin.manifest.services, service)
      ? plugin.manifest.services[service]
      : undefined
    // Another organisation than ours may offer less.
    if (!spec) return undefined
    const ability = fullAbility(plugin.manifest)
    const stage = { tenant, plugin, ability, requestId, actor: kernelActor }
    return parts.works.withWork(
      stage,
      (work) => work.run({ kind: 'service', service }, parseFields(spec.input, input)),
      { entersPlugin: true },
    )
  }

export type OrganisationAsker = ReturnType<typeof organisationAsker>

/** Team and units of a person, for rules that speak of them. */
export const organisationScopes = (parts: {
  readonly directory: Pick<TenantDirectory, 'find'>
  readonly askOrganisation: OrganisationAsker
}): ScopeSource => ({
  async scopesOf(tenantId, person) {
    const tenant = await parts.directory.find(tenantId)
    if (!tenant) return noScopes
    const ask = parts.askOrganisation(tenant, 'scopes')
    const [team, units] = await Promise.all([ask('teamOf', { person }), ask('unitsOf', { person })])
    return { team: textsIn(team, 'people'), units: textsIn(units, 'below') }
  },
})
