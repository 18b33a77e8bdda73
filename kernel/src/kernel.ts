// The composition root: the only file that knows every part. Everything else takes plain arguments.
import { join } from 'node:path'
import { asFunction, asValue, createContainer, InjectionMode } from 'awilix'
import pg from 'pg'
import type { Logger } from 'pino'
import { createCpuBudgets } from './broker/cpu-budget.ts'
import type { Config } from './config.ts'
import { bootstrapDatabase, type DatabaseAccess } from './data/bootstrap.ts'
import { type ChangeFeed, startChangeFeed } from './data/change-feed.ts'
import { startEmbeddedPostgres } from './data/embedded-postgres.ts'
import { installationSecret } from './data/installation-secret.ts'
import { openTenantConnections, type TenantConnections } from './data/tenant-connections.ts'
import { allStand, type DefencesOff } from './defences.ts'
import { type Demo, makeDemo } from './demo.ts'
import { createLimitDirectory, type LimitDirectory } from './entitlements/limit-directory.ts'
import { checkPriceBook, type PriceBook, readPriceBook } from './entitlements/plans.ts'
import { authRoutes } from './http/auth-routes.ts'
import { createInstance, type RequestWatcher } from './http/create-instance.ts'
import { createFrontDoor, type FrontDoor } from './http/front-door.ts'
import { createLadder, type Ladder } from './http/ladder.ts'
import { limitRoutes } from './http/limit-routes.ts'
import { metricsRoute } from './http/metrics-route.ts'
import { createModuleDoors } from './http/module-doors.ts'
import { moduleRoutes } from './http/module-routes.ts'
import { operationRoutes } from './http/operation-routes.ts'
import { operatorRoutes } from './http/operator-routes.ts'
import { secretRoutes } from './http/secret-routes.ts'
import { settingsRoutes } from './http/settings-routes.ts'
import { systemRoutes } from './http/system-routes.ts'
import { tenantRoutes } from './http/tenant-routes.ts'
import { createUnavailableInstance } from './http/unavailable-instance.ts'
import { usageRoutes } from './http/usage-routes.ts'
import { type Accounts, createAccounts } from './identity/accounts.ts'
import { type Authenticate, createAuthenticate } from './identity/authenticate.ts'
import { createRecogniseOperator } from './identity/operator.ts'
import { askUpgrade } from './lifecycle/ask-upgrade.ts'
import { countCanaries } from './lifecycle/canary.ts'
import { createLifecycle } from './lifecycle/lifecycle.ts'
import { createPluginAdministration } from './lifecycle/plugin-administration.ts'
import { createFetcher, type Fetcher } from './outside/fetcher.ts'
import { createModuleSecrets, type ModuleSecrets } from './outside/module-secrets.ts'
import { createOutside, type Outside } from './outside/outside.ts'
import { createSeal } from './outside/seal.ts'
import { realWorld, type World } from './outside/world.ts'
import { createAbilities } from './permissions/abilities.ts'
import { admitFetched } from './registry/packages/admit-fetched.ts'
import { fetchPluginPackage } from './registry/packages/fetch-plugin-package.ts'
import { pluginLoadParts, pluginTables } from './registry/plugin-load-parts.ts'
import { createPluginRegistry, type PluginRegistry } from './registry/plugin-registry.ts'
import { trustByName } from './sandbox/in-process.ts'
import { createHostStarter } from './sandbox/supervisor.ts'
import { createMetrics } from './telemetry/metrics.ts'
import { readUsage } from './telemetry/read-usage.ts'
import { createUsageCounter, type UsageCounter } from './telemetry/usage-counter.ts'
import { controlTransactions, type RunControl } from './tenants/control-transaction.ts'
import { createTenantDirectory, type TenantDirectory } from './tenants/tenant-directory.ts'

export const kernelVersion = '0.1.0'
const controlPoolSize = 6
const connectDeadlineMs = 5_000

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

interface Cradle {
  log: Logger
  pool: pg.Pool
  identityPool: pg.Pool
  secret: string
  feed: ChangeFeed
  connections: TenantConnections
  priceBook: PriceBook
  runControl: RunControl
  directory: TenantDirectory
  accounts: Accounts
  authenticate: Authenticate
  ladder: Ladder
  fetcher: Fetcher
  moduleSecrets: ModuleSecrets
  outside: Outside
  limits: LimitDirectory
  usage: UsageCounter
}

/** What was opened, closed again in reverse order, also when starting fails half-way. */
function createClosers(log: Logger) {
  const closers: { name: string; close: () => Promise<unknown> }[] = []
  return {
    add: (name: string, close: () => Promise<unknown>) => void closers.push({ name, close }),
    async closeAll() {
      for (const { name, close } of closers.splice(0).reverse()) {
        await close().catch((error: unknown) => log.error({ err: error, part: name }, 'a part did not close'))
      }
    },
  }
}

type Closers = ReturnType<typeof createClosers>

function openPool(connection: pg.PoolConfig, max: number, log: Logger): pg.Pool {
  const pool = new pg.Pool({ ...connection, max, connectionTimeoutMillis: connectDeadlineMs })
  // The pool takes its own listener off a connection while somebody has it.
  pool.on('connect', (client) =>
    client.on('error', (error) => log.warn({ err: error }, 'a control connection broke')),
  )
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on('error', (error) => log.warn({ err: error }, 'an idle control connection broke'))
  return pool
}

async function openDatabase(
  config: Config,
  secret: string,
  log: Logger,
  closers: Closers,
): Promise<DatabaseAccess> {
  let adminUrl = config.databaseUrl
  if (adminUrl === undefined) {
    const embedded = await startEmbeddedPostgres({ dataDir: config.dataDir, log })
    closers.add('embedded PostgreSQL', () => embedded.stop())
    adminUrl = embedded.adminUrl
  }
  const { rolePrefix, signedTenant } = config
  return bootstrapDatabase({ adminUrl, secret, rolePrefix, signedTenant, log })
}

async function openParts(config: Config, log: Logger, closers: Closers, off: DefencesOff, world: World) {
  const secret = config.secret ?? (await installationSecret(config.dataDir))
  const operatorToken = config.operatorToken ?? (await installationSecret(config.dataDir, 'operator-token'))
  const access = await openDatabase(config, secret, log, closers)
  const pool = openPool(access.kernel, controlPoolSize, log)
  closers.add('control pool', () => pool.end())
  const identityPool = openPool(
    { ...access.kernel, options: '-c search_path=identity' },
    controlPoolSize,
    log,
  )
  closers.add('identity pool', () => identityPool.end())
  const connections = openTenantConnections(
    {
      connection: access.data,
      ...(access.tenantKey && { tenantKey: access.tenantKey }),
      max: config.poolSize,
      log,
    },
    off,
  )
  closers.add('tenant connections', () => connections.close())
  const feed = await startChangeFeed({ connection: access.kernel, log })
  closers.add('change feed', () => feed.close())
  const usage = createUsageCounter(pool, log)
  closers.add('usage', () => usage.close())
  const priceBook = await readPriceBook(pool)
  for (const warning of checkPriceBook(priceBook)) log.warn(warning)
  const container = createContainer<Cradle>({ injectionMode: InjectionMode.PROXY, strict: true })
  container.register({
    log: asValue(log),
    pool: asValue(pool),
    identityPool: asValue(identityPool),
    secret: asValue(secret),
    feed: asValue(feed),
    connections: asValue(connections),
    priceBook: asValue(priceBook),
    usage: asValue(usage),
    limits: asFunction((c: Cradle) => createLimitDirectory(c.pool, c.feed, c.priceBook)).singleton(),
    runControl: asFunction((c: Cradle) => controlTransactions(c.pool, c.feed)).singleton(),
    directory: asFunction((c: Cradle) => createTenantDirectory(c.pool, c.feed)).singleton(),
    accounts: asFunction((c: Cradle) => createAccounts(c.identityPool, c.secret)).singleton(),
    authenticate: asFunction((c: Cradle) => createAuthenticate(c.accounts, c.feed)).singleton(),
    ladder: asFunction((c: Cradle) =>
      createLadder(
        {
          authenticate: c.authenticate,
          recogniseOperator: createRecogniseOperator(operatorToken, off),
          directory: c.directory,
          abilityOf: createAbilities(),
        },
        off,
      ),
    ).singleton(),
    fetcher: asFunction((c: Cradle) =>
      createFetcher({ world, plainHosts: config.plainHosts, log: c.log }, off),
    ).singleton(),
    moduleSecrets: asFunction((c: Cradle) =>
      createModuleSecrets(c.pool, c.runControl, createSeal(c.secret)),
    ).singleton(),
    outside: asFunction((c: Cradle) =>
      createOutside({ fetcher: c.fetcher, secrets: c.moduleSecrets }, off),
    ).singleton(),
  })
  closers.add('fetches', async () => container.cradle.fetcher.close())
  return { access, cradle: container.cradle }
}

/** What the operator's settings say of packages from a registry. */
const packagePolicy = (config: Config) => ({
  registry: {
    url: config.registry,
    ...(config.registryToken === undefined ? {} : { token: config.registryToken }),
  },
  minAgeDays: config.coolOffDays,
  trust: { cacheFolder: join(config.dataDir, 'sigstore') },
  ...(config.packagesRequire === undefined ? {} : { require: config.packagesRequire }),
  ...(config.packagesAllowed === undefined ? {} : { allow: config.packagesAllowed }),
})

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

  const starter = await trustByName(await createHostStarter(log, off), config.trustedPlugins, log)
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
  const instanceOptions = { debugErrors: config.debugErrors, isClosing: () => closing }
  const metrics = createMetrics({
    pool: () => connections.stats(),
    hosts: () =>
      [...registry.plugins].flatMap(([module, { host }]) => {
        const stats = host.stats?.()
        return stats ? [[module, stats] as const] : []
      }),
  })
  const spendings = { limits, budgets: createCpuBudgets(), metrics, usage }
  const doors = createModuleDoors(
    {
      registry,
      ladder,
      connections,
      outside,
      spendings,
      log,
      ...instanceOptions,
      onAnswer: canaries.count,
    },
    off,
  )
  const lifecycle = createLifecycle({
    pool,
    connection: access.kernel,
    feed,
    registry,
    tables: pluginTables(access, off),
    fetch: (request) => fetchPluginPackage({ ...packagePolicy(config), ...request }, undefined, off),
    admit: (fetched, owners) =>
      admitFetched(
        fetched,
        {
          startHost: loadParts.startHost,
          owners,
          ...(config.packagesAllowed === undefined ? {} : { allow: config.packagesAllowed }),
        },
        off,
      ),
    log,
  })
  const administration = createPluginAdministration({ pool, feed, registry })
  const watchRequest: RequestWatcher = ({ method, status, seconds }) =>
    metrics.request('kernel', method, status, seconds)
  const kernelInstance = await createInstance({ ...instanceOptions, watchRequest, log }, (app) => {
    authRoutes(app, ladder, { accounts, runControl })
    tenantRoutes(app, ladder, { directory, runControl })
    moduleRoutes(app, ladder, { registry, priceBook, directory, runControl })
    settingsRoutes(app, ladder, { registry, directory, runControl })
    secretRoutes(app, ladder, { registry, secrets: cradle.moduleSecrets })
    operatorRoutes(app, ladder, { lifecycle, administration })
    operationRoutes(app, ladder, lifecycle)
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
    usageRoutes(app, ladder, { usage, limits, readUsage: (tenant) => readUsage(pool, tenant) })
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
  await registry.openWith((...modules) => doors.open(frontDoor, ...modules))

  // After the doors: what an operation changes is to be seen by callers before it says that it is done.
  lifecycle.start()
  closers.add('lifecycle', () => lifecycle.close())

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
