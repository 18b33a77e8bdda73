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
import { organisation, organisationAsker, organisationScopes } from './http/ask-organisation.ts'
import { createInstance, type RequestWatcher } from './http/create-instance.ts'
import { createFrontDoor, type FrontDoor } from './http/front-door.ts'
import { openHygiene } from './http/hygiene/open-hygiene.ts'
import { createWorkLender } from './http/lend-work.ts'
import { createModuleDoors } from './http/module-doors.ts'
import { callbackPath } from './http/sso-sign-in-routes.ts'
import { createUnavailableInstance } from './http/unavailable-instance.ts'
import { addKernelRoutes } from './kernel-routes.ts'
import { askUpgrade } from './lifecycle/ask-upgrade.ts'
import { countCanaries } from './lifecycle/canary.ts'
import { createLifecycle } from './lifecycle/lifecycle.ts'
import { createPluginAdministration } from './lifecycle/plugin-administration.ts'
import { languageOf } from './mail/languages.ts'
import { openHooks } from './open-hooks.ts'
import { type Closers, createClosers, openParts } from './open-parts.ts'
import { openQueue } from './open-queue.ts'
import { openSso } from './open-sso.ts'
import { realWorld, type World } from './outside/world.ts'
import { modulesFrom } from './permissions/tenant-modules.ts'
import { queueSnapshot } from './queue/queue-figures.ts'
import { admitFetched } from './registry/packages/admit-fetched.ts'
import { fetchPluginPackage } from './registry/packages/fetch-plugin-package.ts'
import { pluginLoadParts, pluginTables } from './registry/plugin-load-parts.ts'
import { createPluginRegistry, type PluginRegistry } from './registry/plugin-registry.ts'
import { trustByName } from './sandbox/in-process.ts'
import { createHostStarter } from './sandbox/supervisor.ts'
import { createMetrics } from './telemetry/metrics.ts'
import { createAskChallenge } from './tenants/dns-challenge.ts'
import { createErasures } from './tenants/erase-tenants.ts'
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
  const { ladder, directory, runControl, connections, accounts, pool, feed, outside } = cradle
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
    addKernelRoutes(
      app,
      {
        ...{ config, cradle, access, registry, works, doors, lifecycle, administration, domains, erasures },
        ...{ approvers, askOrganisation, modulesOf, sso, ssoRedirectUri, hooks, metrics },
        tasksAdded: (lanes) => queue.tasksAdded(lanes),
        isClosing: () => closing,
        version: kernelVersion,
      },
      off,
    )
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
