// The composition root, with open-parts.ts: the files that know every part. Everything else takes plain arguments.
import { join } from 'node:path'
import type { Logger } from 'pino'
import { createApprovers } from './approvals/approvers.ts'
import { chainsFor } from './approvals/chains.ts'
import { remindDue } from './approvals/remind.ts'
import { sealerLock } from './audit/seal-audit.ts'
import { createCpuBudgets } from './broker/cpu-budget.ts'
import type { Config } from './config.ts'
import { allStand, type DefencesOff } from './defences.ts'
import { type Demo, makeDemo } from './demo.ts'
import { errors } from './errors.ts'
import { absenceRoutes } from './http/absence-routes.ts'
import { approvalChainRoutes } from './http/approval-chain-routes.ts'
import { approvalRoutes } from './http/approval-routes.ts'
import { organisation, organisationAsker, organisationScopes } from './http/ask-organisation.ts'
import { auditRoutes } from './http/audit-routes.ts'
import { authRoutes } from './http/auth-routes.ts'
import { corsRoutes } from './http/cors-routes.ts'
import { createInstance, type RequestWatcher } from './http/create-instance.ts'
import { delegationRoutes } from './http/delegation-routes.ts'
import { domainRoutes } from './http/domain-routes.ts'
import { dutyRoutes } from './http/duty-routes.ts'
import { explainRoutes } from './http/explain-routes.ts'
import { createFrontDoor, type FrontDoor } from './http/front-door.ts'
import { openHygiene } from './http/hygiene/open-hygiene.ts'
import { invitationRoutes } from './http/invitation-routes.ts'
import { jobRoutes } from './http/job-routes.ts'
import { keyRoutes } from './http/key-routes.ts'
import { createWorkLender } from './http/lend-work.ts'
import { limitRoutes } from './http/limit-routes.ts'
import { mailboxRoutes } from './http/mailbox-routes.ts'
import { meRoutes } from './http/me-routes.ts'
import { metricsRoute } from './http/metrics-route.ts'
import { createModuleDoors } from './http/module-doors.ts'
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
import { callbackPath, ssoSignInRoutes } from './http/sso-sign-in-routes.ts'
import { systemRoutes } from './http/system-routes.ts'
import { tenantLifeRoutes } from './http/tenant-life-routes.ts'
import { tenantRoutes } from './http/tenant-routes.ts'
import { tokenRoutes } from './http/token-routes.ts'
import { createUnavailableInstance } from './http/unavailable-instance.ts'
import { usageRoutes } from './http/usage-routes.ts'
import { askUpgrade } from './lifecycle/ask-upgrade.ts'
import { countCanaries } from './lifecycle/canary.ts'
import { createLifecycle } from './lifecycle/lifecycle.ts'
import { createPluginAdministration } from './lifecycle/plugin-administration.ts'
import { languageOf } from './mail/languages.ts'
import { openHooks } from './open-hooks.ts'
import { type Closers, createClosers, openParts } from './open-parts.ts'
import { openQueue, type Queue } from './open-queue.ts'
import { openSso } from './open-sso.ts'
import { realWorld, type World } from './outside/world.ts'
import { memberAbilities } from './permissions/member-abilities.ts'
import { modulesFrom } from './permissions/tenant-modules.ts'
import { queueSnapshot } from './queue/queue-figures.ts'
import { admitFetched } from './registry/packages/admit-fetched.ts'
import { fetchPluginPackage } from './registry/packages/fetch-plugin-package.ts'
import { pluginLoadParts, pluginTables } from './registry/plugin-load-parts.ts'
import { createPluginRegistry, type PluginRegistry } from './registry/plugin-registry.ts'
import { trustByName } from './sandbox/in-process.ts'
import { createHostStarter } from './sandbox/supervisor.ts'
import { createMetrics } from './telemetry/metrics.ts'
import { readUsage } from './telemetry/read-usage.ts'
import { createAskChallenge } from './tenants/dns-challenge.ts'
import { createErasures } from './tenants/erase-tenants.ts'
import { createTenantExports } from './tenants/export-tenant.ts'
import { createInviteOwner } from './tenants/invite-owner.ts'
import { repeat } from './tenants/repeat.ts'
import { createTenantDomains } from './tenants/tenant-domains.ts'

export const kernelVersion = '0.1.0'

export interface Kernel {
  listen(): Promise<{ readonly url: string; readonly port: number }>
  readonly inject: FrontDoor['inject']
  /** How to sign in to the demo tenant, when there is one. */
  readonly demo: Demo | undefined
  /** What is installed and served. */
  readonly registry: PluginRegistry
  /** Finishes the requests inside, then stops hosts, connections and the embedded database. */
  close(): Promise<void>
}

/** What the operator's settings say of packages from a registry. @throws REGISTRY_UNAVAILABLE when none is set */
function packagePolicy({ registry, registryToken, packagesRequire, packagesAllowed, ...config }: Config) {
  if (registry === undefined)
    throw errors.registryUnavailable({ registry: '(none)', detail: 'PLINTH_REGISTRY is not set.' })
  return {
    registry: { url: registry, ...(registryToken === undefined ? {} : { token: registryToken }) },
    minAgeDays: config.coolOffDays,
    trust: { cacheFolder: join(config.dataDir, 'sigstore') },
    ...(packagesRequire === undefined ? {} : { require: packagesRequire }),
    ...(packagesAllowed === undefined ? {} : { allow: packagesAllowed }),
  }
}

/** `world` is what fetches meet: tests have one of their own. */
export async function createKernel(
  config: Config,
  log: Logger,
  off: DefencesOff = allStand,
  world: World = realWorld,
): Promise<Kernel> {
  const closers = createClosers(log)
  try {
    return await assemble(config, log, closers, off, world)
  } catch (error) {
    await closers.closeAll()
    throw error
  }
}

async function assemble(
  config: Config,
  log: Logger,
  closers: Closers,
  off: DefencesOff,
  world: World,
): Promise<Kernel> {
  const { access, cradle } = await openParts(config, log, closers, off, world)
  const { ladder, directory, runControl, connections, accounts, priceBook, pool, feed, outside } = cradle
  const { limits, usage } = cradle

  const sandboxed = await createHostStarter(log, off)
  const starter = await trustByName(sandboxed, config.trustedPlugins, log)
  closers.add('plugins in process', async () => starter.close())
  const loadParts = pluginLoadParts(access, starter.startHost, log, off)
  const registry = await createPluginRegistry({
    pool,
    feed,
    askUpgrade: (module, version) => askUpgrade({ pool, log }, module, version),
    root: config.pluginsRoot,
    parts: loadParts,
    log,
  })
  closers.add('plugin hosts', () => registry.close())
  const canaries = countCanaries({ pool, registry, log })
  closers.add('canary counts', () => canaries.close())

  let closing = false
  const { currentRequest, decisions, isTrusted } = cradle
  const hygiene = await openHygiene(config, { pool, feed, currentRequest, log }, off)
  closers.add('hygiene', () => hygiene.close())
  const instanceOptions = {
    debugErrors: config.debugErrors,
    isClosing: () => closing,
    isTrusted,
    hygiene,
    nameDecision: decisions.idOf,
  }
  const metrics = createMetrics({
    pool: () => connections.stats(),
    hosts: () =>
      [...registry.plugins].flatMap(([module, { host }]) => {
        const stats = host.stats?.()
        return stats ? [[module, stats] as const] : []
      }),
    queues: () => queueSnapshot(pool),
  })
  const spendings = { limits, budgets: createCpuBudgets(), metrics, usage }
  const approvers = createApprovers(pool)
  const works = createWorkLender(
    {
      current: currentRequest,
      registry,
      directory,
      connections,
      outside,
      duties: cradle.duties,
      approvers,
      chainsFor: (action) => chainsFor(pool, action),
      spendings,
      log,
      // What people may do can follow from where they belong.
      tell: (tenant, changed) =>
        changed.has(organisation) ? feed.announcement({ kind: 'access', id: tenant }) : undefined,
      emitted: () => queue.wake(),
      tasksAdded: (lanes) => queue.tasksAdded(lanes),
    },
    off,
  )
  const askOrganisation = organisationAsker({ works, registry })
  cradle.scopes.serveFrom(organisationScopes({ directory, askOrganisation }))
  const doors = createModuleDoors({
    ladder,
    connections,
    trail: cradle.auditTrail,
    works,
    spendings,
    log,
    ...instanceOptions,
    onAnswer: canaries.count,
  })
  const lifecycle = createLifecycle({
    pool,
    connection: access.kernel,
    feed,
    registry,
    tables: pluginTables(access, off),
    fetch: async (request) => fetchPluginPackage({ ...packagePolicy(config), ...request }, undefined, off),
    admit: (fetched, owners) =>
      admitFetched(
        fetched,
        {
          // Also what is trusted by name: nobody has trusted these bytes yet.
          startHost: (name, bundle) => sandboxed({ name, bundle, log: log.child({ package: name }) }),
          owners,
          ...(config.packagesAllowed === undefined ? {} : { allow: config.packagesAllowed }),
        },
        off,
      ),
    log,
  })
  const administration = createPluginAdministration({ pool, feed, registry })
  const domains = createTenantDomains({
    pool,
    runControl,
    hosts: cradle.hosts,
    askChallenge: createAskChallenge(config.dnsServers),
    log,
  })
  const erasures = createErasures({
    pool,
    access,
    feed,
    runControl,
    locks: { sealer: sealerLock },
    log,
  })
  closers.add('erasures', () => erasures.close())
  const rechecking = repeat('domains', () => Promise.all([domains.recheck(), sso.domains.recheck()]), log)
  closers.add('domains', () => rechecking.close())
  const reminders = { runControl, approvers, outbox: cradle.outbox, log, askOrganisation, languageOf }
  const reminding = repeat('reminders', () => remindDue({ ...reminders, findTenant: directory.find }), log)
  closers.add('reminders', () => reminding.close())
  const modulesOf = modulesFrom(registry)
  const ssoRedirectUri = config.publicUrl + callbackPath
  const sso = openSso({ config, cradle, redirectUri: ssoRedirectUri, modulesOf }, off)
  const hooks = openHooks(
    { config, cradle, registry, world, closers, tasksAdded: (lanes) => queue.tasksAdded(lanes) },
    off,
  )
  const watchRequest: RequestWatcher = ({ method, status, seconds }) =>
    metrics.request('kernel', method, status, seconds)
  const kernelInstance = await createInstance({ ...instanceOptions, watchRequest, log }, (app) => {
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
      exports: createTenantExports({ pool, connections, rolePrefix: access.rolePrefix, runControl }),
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
    domainRoutes(app, ladder, { domains, directory, runControl })
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
    const tasksAdded: Queue['tasksAdded'] = (lanes) => queue.tasksAdded(lanes)
    jobRoutes(app, ladder, { pool, runControl, registry, tasksAdded, isClosing: () => closing }, off)
    secretRoutes(app, ladder, { registry, secrets: cradle.moduleSecrets })
    operatorRoutes(app, ladder, { lifecycle, administration })
    operationRoutes(app, ladder, lifecycle)
    const manifestOf = (module: string) => registry.served(module)?.stable?.manifest
    auditRoutes(app, ladder, { trail: cradle.auditTrail, runControl, manifestOf }, off)
    operatorAuditRoutes(app, ladder, { trail: cradle.auditTrail, directory })
    limitRoutes(
      app,
      async (request) => ({ ...(await ladder.operated(request)), actor: { id: 'operator' } }),
      {
        hasModule: (module) => registry.served(module) !== undefined,
        directory,
        limits,
        runControl,
      },
    )
    queueRoutes(app, ladder, {
      pool,
      runControl,
      directory,
      hasModule: (module) => registry.served(module) !== undefined,
    })
    usageRoutes(app, ladder, { usage, limits, readUsage: (tenant) => readUsage(pool, tenant) })
    hooks.routes(app)
    metricsRoute(app, ladder, { metrics, token: config.metricsToken })
    systemRoutes(app, ladder, {
      moduleDocument(tenant, module) {
        const plugin = registry.served(module)?.pluginFor(tenant)
        return plugin && doors.documentOf(plugin)
      },
      isReady: async () =>
        !closing &&
        (await pool.query('SELECT 1').then(
          () => true,
          () => false,
        )),
      version: kernelVersion,
    })
  })
  const frontDoor = createFrontDoor(
    kernelInstance,
    await createUnavailableInstance({ ...instanceOptions, log }),
  )
  closers.add('front door', () => frontDoor.shut())
  // Before what is installed is read once more: a change between the two is not missed.
  feed.onChange((change) =>
    change.kind === 'plugins' || change.kind === 'all' ? registry.sync() : undefined,
  )
  feed.onChange((change) => (change.kind === 'tenantClosed' ? works.emptied(change.id) : undefined))
  const { secret } = cradle
  const connection = access.kernel
  const { withWork } = works
  const queue = openQueue({
    ...{ config, connection, secret, feed, registry, directory, limits, withWork, closers, log },
    webhooks: hooks,
    watcher: metrics,
  })
  await registry.openWith(queue.withDoors((...modules) => doors.open(frontDoor, ...modules)))

  // After the doors: what an operation changes is to be seen by callers before it says that it is done.
  lifecycle.start()
  closers.add('lifecycle', () => lifecycle.close())
  closers.add('event streams', () => hooks.closeStreams())

  return {
    listen: () => frontDoor.listen(config.host, config.port),
    inject: frontDoor.inject,
    registry,
    demo: config.demo ? await makeDemo(config.dataDir, { accounts, runControl, directory, log }) : undefined,
    async close() {
      closing = true
      await closers.closeAll()
    },
  }
}
