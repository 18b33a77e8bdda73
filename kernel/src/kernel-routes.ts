// The kernel's own routes, each group with the parts that it needs. Beside kernel.ts, which makes the parts.
import type { Approvers } from './approvals/approvers.ts'
import type { Config } from './config.ts'
import type { DatabaseAccess } from './data/bootstrap.ts'
import type { DefencesOff } from './defences.ts'
import { absenceRoutes } from './http/absence-routes.ts'
import { approvalChainRoutes } from './http/approval-chain-routes.ts'
import { approvalRoutes } from './http/approval-routes.ts'
import type { OrganisationAsker } from './http/ask-organisation.ts'
import { auditRoutes } from './http/audit-routes.ts'
import { authRoutes } from './http/auth-routes.ts'
import { corsRoutes } from './http/cors-routes.ts'
import type { Instance } from './http/create-instance.ts'
import { delegationRoutes } from './http/delegation-routes.ts'
import { domainRoutes } from './http/domain-routes.ts'
import { dutyRoutes } from './http/duty-routes.ts'
import { explainRoutes } from './http/explain-routes.ts'
import { invitationRoutes } from './http/invitation-routes.ts'
import { jobRoutes } from './http/job-routes.ts'
import { keyRoutes } from './http/key-routes.ts'
import type { WorkLender } from './http/lend-work.ts'
import { limitRoutes } from './http/limit-routes.ts'
import { mailboxRoutes } from './http/mailbox-routes.ts'
import { meRoutes } from './http/me-routes.ts'
import { metricsRoute } from './http/metrics-route.ts'
import type { ModuleDoors } from './http/module-doors.ts'
import { moduleRoutes } from './http/module-routes.ts'
import { operationRoutes } from './http/operation-routes.ts'
import { operatorAuditRoutes } from './http/operator-audit-routes.ts'
import { operatorRoutes } from './http/operator-routes.ts'
import { operatorTenantRoutes } from './http/operator-tenant-routes.ts'
import { passkeyRoutes } from './http/passkey-routes.ts'
import { peopleRoutes } from './http/people-routes.ts'
import { queueRoutes } from './http/queue-routes.ts'
import { roleRoutes } from './http/role-routes.ts'
import { samlRoutes } from './http/saml-routes.ts'
import { scimRoutes } from './http/scim-routes.ts'
import { secondFactorRoutes } from './http/second-factor-routes.ts'
import { secretRoutes } from './http/secret-routes.ts'
import { serviceAccountRoutes } from './http/service-account-routes.ts'
import { settingsRoutes } from './http/settings-routes.ts'
import { ssoRoutes } from './http/sso-routes.ts'
import { ssoSignInRoutes } from './http/sso-sign-in-routes.ts'
import { systemRoutes } from './http/system-routes.ts'
import { tenantLifeRoutes } from './http/tenant-life-routes.ts'
import { tenantRoutes } from './http/tenant-routes.ts'
import { tokenRoutes } from './http/token-routes.ts'
import { usageRoutes } from './http/usage-routes.ts'
import type { Lifecycle } from './lifecycle/lifecycle.ts'
import type { PluginAdministration } from './lifecycle/plugin-administration.ts'
import type { Hooks } from './open-hooks.ts'
import type { Cradle } from './open-parts.ts'
import type { Queue } from './open-queue.ts'
import type { openSso } from './open-sso.ts'
import { memberAbilities } from './permissions/member-abilities.ts'
import type { ModulesOf } from './permissions/tenant-modules.ts'
import type { PluginRegistry } from './registry/plugin-registry.ts'
import type { Metrics } from './telemetry/metrics.ts'
import { readUsage } from './telemetry/read-usage.ts'
import type { Erasures } from './tenants/erase-tenants.ts'
import { createTenantExports } from './tenants/export-tenant.ts'
import { createInviteOwner } from './tenants/invite-owner.ts'
import type { TenantDomains } from './tenants/tenant-domains.ts'

export interface KernelRoutesParts {
  readonly config: Config
  readonly cradle: Cradle
  readonly access: DatabaseAccess
  readonly registry: PluginRegistry
  readonly works: WorkLender
  readonly doors: ModuleDoors
  readonly lifecycle: Lifecycle
  readonly administration: PluginAdministration
  readonly domains: TenantDomains
  readonly erasures: Erasures
  readonly approvers: Approvers
  readonly askOrganisation: OrganisationAsker
  readonly modulesOf: ModulesOf
  readonly sso: ReturnType<typeof openSso>
  readonly ssoRedirectUri: string
  readonly hooks: Hooks
  readonly tasksAdded: Queue['tasksAdded']
  readonly metrics: Metrics
  readonly isClosing: () => boolean
  readonly version: string
}

export function addKernelRoutes(app: Instance, parts: KernelRoutesParts, off: DefencesOff): void {
  const { config, cradle, registry, works, erasures, approvers, askOrganisation, modulesOf } = parts
  const { sso, ssoRedirectUri, tasksAdded, isClosing } = parts
  const { ladder, directory, runControl, pool, connections, decisions, priceBook, limits, usage, log } =
    cradle
  authRoutes(app, ladder, cradle.identity, cradle.sessions)
  mailboxRoutes(app, ladder, cradle.identity)
  meRoutes(app, ladder, cradle.identity)
  secondFactorRoutes(app, ladder, cradle.identity)
  passkeyRoutes(app, ladder, cradle.identity)
  peopleRoutes(app, ladder, cradle.identity)
  tokenRoutes(app, ladder, { exchange: cradle.exchangeToken, keys: cradle.signingKeys, runControl, log })
  serviceAccountRoutes(app, ladder, runControl)
  keyRoutes(app, ladder, runControl)
  ssoRoutes(app, ladder, { ...sso, redirectUri: ssoRedirectUri, runControl })
  samlRoutes(app, ladder, { ...sso, ...config, redirectUri: ssoRedirectUri })
  ssoSignInRoutes(app, ladder, { flow: sso.flow, publicUrl: config.publicUrl })
  scimRoutes(app, ladder, { runControl, modulesOf, off })
  tenantRoutes(app, ladder, {
    directory,
    runControl,
    plugins: registry.plugins,
    isInvited: config.verifyEmail === 'required',
  })
  invitationRoutes(app, ladder, cradle.identity)
  tenantLifeRoutes(app, ladder, {
    directory,
    runControl,
    exports: createTenantExports({ pool, connections, rolePrefix: parts.access.rolePrefix, runControl }),
    closingDays: config.closingDays,
  })
  operatorTenantRoutes(app, ladder, {
    pool,
    runControl,
    plugins: registry.plugins,
    closingDays: config.closingDays,
    erasures,
    inviteOwner: createInviteOwner({ outbox: cradle.outbox, config }),
  })
  corsRoutes(app, ladder, runControl)
  domainRoutes(app, ladder, { domains: parts.domains, directory, runControl })
  roleRoutes(app, ladder, { runControl, modulesOf, off })
  explainRoutes(app, ladder, {
    runControl,
    directory,
    grantsOf: cradle.grants.grantsOf,
    modulesOf,
    pluginFor: registry.pluginFor,
    connections,
    duties: cradle.duties,
    decisions,
  })
  delegationRoutes(app, ladder, { runControl, modulesOf })
  dutyRoutes(app, ladder, { runControl, modulesOf })
  const { eventAttempts } = config
  moduleRoutes(app, ladder, { registry, priceBook, directory, runControl, eventAttempts })
  settingsRoutes(app, ladder, { registry, connections, runControl })
  approvalChainRoutes(app, ladder, { registry, runControl })
  absenceRoutes(app, ladder, runControl)
  const abilityOfMember = memberAbilities({ directory, grants: cradle.grants })
  approvalRoutes(app, ladder, { pool, registry, works, approvers, askOrganisation, abilityOfMember }, off)
  jobRoutes(app, ladder, { pool, runControl, registry, tasksAdded, isClosing }, off)
  secretRoutes(app, ladder, { registry, secrets: cradle.moduleSecrets })
  operatorRoutes(app, ladder, parts)
  operationRoutes(app, ladder, parts.lifecycle)
  const manifestOf = (module: string) => registry.served(module)?.stable?.manifest
  auditRoutes(app, ladder, { trail: cradle.auditTrail, runControl, manifestOf }, off)
  operatorAuditRoutes(app, ladder, { trail: cradle.auditTrail, directory })
  limitRoutes(app, async (request) => ({ ...(await ladder.operated(request)), actor: { id: 'operator' } }), {
    hasModule: (module) => registry.served(module) !== undefined,
    directory,
    limits,
    runControl,
  })
  queueRoutes(app, ladder, {
    pool,
    runControl,
    directory,
    hasModule: (module) => registry.served(module) !== undefined,
  })
  usageRoutes(app, ladder, { usage, limits, readUsage: (tenant) => readUsage(pool, tenant) })
  parts.hooks.routes(app)
  metricsRoute(app, ladder, { metrics: parts.metrics, token: config.metricsToken })
  systemRoutes(app, ladder, {
    moduleDocument(tenant, module) {
      const plugin = registry.served(module)?.pluginFor(tenant)
      return plugin && parts.doors.documentOf(plugin)
    },
    isReady: async () =>
      !isClosing() &&
      (await pool.query('SELECT 1').then(
        () => true,
        () => false,
      )),
    version: parts.version,
  })
}
