// Limits raised and lowered: by a plan, by an operator for a module, by an operator for one tenant in it. With the
// routes that the operator's API mounts.
import pg from 'pg'
import t, { type Test } from 'tap'
import { startChangeFeed } from '../../kernel/src/data/change-feed.ts'
import { createLimitDirectory } from '../../kernel/src/entitlements/limit-directory.ts'
import { readPriceBook } from '../../kernel/src/entitlements/plans.ts'
import { errors } from '../../kernel/src/errors.ts'
import { createInstance } from '../../kernel/src/http/create-instance.ts'
import { limitRoutes } from '../../kernel/src/http/limit-routes.ts'
import { controlTransactions } from '../../kernel/src/tenants/control-transaction.ts'
import { createTenantDirectory } from '../../kernel/src/tenants/tenant-directory.ts'
import { greedyPlugin } from '../support/greedy-plugin.ts'
import { makeInstallation } from '../support/installation.ts'
import { type Send, sender, type TestKernel, testKernel, testLog } from '../support/kernel.ts'

/** The routes as another process of the same installation would serve them. */
async function operatorOf(t: Test, { kernel, database }: TestKernel): Promise<Send> {
  const pool = new pg.Pool({ ...database.access.kernel, max: 2 })
  t.teardown(() => pool.end())
  const feed = await startChangeFeed({ connection: database.access.kernel, log: testLog })
  t.teardown(() => feed.close())
  const book = await readPriceBook(pool)
  const app = await createInstance(
    { log: testLog, debugErrors: false, isClosing: () => false },
    (instance) => {
      limitRoutes(
        instance,
        (request) => {
          if (request.headers.authorization !== 'Bearer operator') throw errors.unauthenticated({})
          return { actor: { id: 'olga' }, requestId: request.id }
        },
        {
          hasModule: (module) => kernel.registry.plugins.has(module),
          directory: createTenantDirectory(pool, feed),
          limits: createLimitDirectory(pool, feed, book),
          runControl: controlTransactions(pool, feed),
        },
      )
    },
  )
  t.teardown(() => app.close())
  return sender({ inject: (options) => app.inject(options) }, { authorization: 'Bearer operator' })
}

const listing = (send: Send, times: number) => send('POST', '/v1/greedy/use', { way: 'queries', times })

t.test('limits are raised and lowered', async (t) => {
  const root = await makeInstallation(t, { '@test/greedy': { source: greedyPlugin } })
  const kernel = await testKernel(t, { pluginsRoot: root })
  const operator = await operatorOf(t, kernel)
  const tenant = await kernel.openTenant('greedy')
  const { owner: neighbour } = await kernel.openTenant('greedy')
  const forAll = '/v1/operator/limits?module=greedy'
  const forOne = `${forAll}&tenant=${tenant.slug}`
  const hit = (cap: number) => ({ status: 502, body: { code: 'LIMIT_EXCEEDED', limit: 'queries', cap } })

  await t.test('by a plan', async (t) => {
    const owner = await kernel.signUp('large')
    const body = { name: 'Large', slug: 'large', plan: 'professional' }
    t.equal((await owner('POST', '/v1/tenants', body)).status, 201)
    await owner('POST', '/v1/tenant/modules', { module: 'greedy' })
    const reply = await listing(owner, 270)
    t.match(reply, { status: 200 })
    t.equal(reply.headers['x-plinth-limits'], undefined, 'what was used is not told outside development')
    t.match(await listing(owner, 420), hit(400))
    t.match(await listing(neighbour, 270), hit(250), 'the starter plan has the default')
  })

  await t.test('by an operator, in the next request: for a module, and for a tenant in it', async (t) => {
    t.match(await operator('PUT', forAll, { request: { queries: 300 } }), {
      status: 200,
      body: { module: 'greedy', set: { request: { queries: 300 } } },
    })
    t.match(await listing(neighbour, 270), { status: 200 })
    t.match(await operator('PUT', forOne, { request: { queries: 20 } }), {
      body: { tenant: tenant.id, inForce: { request: { queries: 20, events: 50 }, job: { queries: 500 } } },
    })
    t.match(await listing(tenant.owner, 30), hit(20), 'the narrower one has its way, also downwards')
    t.match(await listing(neighbour, 270), { status: 200 }, 'of nobody else')
    t.match(await operator('GET', forOne), { body: { set: { request: { queries: 20 } } } })
    await operator('PUT', forOne, { request: { wall: 300 } })
    t.match(await tenant.owner('POST', '/v1/greedy/use', { way: 'never', times: 1 }), {
      status: 504,
      body: { code: 'PLUGIN_DEADLINE_EXCEEDED' },
    })
    await operator('PUT', forOne, {})
    t.match(await listing(tenant.owner, 270), { status: 200 }, 'taken back')
    await operator('PUT', forAll, {})
    t.match(await listing(tenant.owner, 270), hit(250))
  })

  await t.test('and it is audited', async (t) => {
    const { rows } = await kernel.database.admin.query(
      "select tenant_id, actor, record_id, before, after from kernel.audit where entity = 'limits' order by id",
    )
    t.match(rows, [
      {
        tenant_id: /^0+-/,
        actor: 'olga',
        record_id: 'greedy',
        before: {},
        after: { request: { queries: 300 } },
      },
      { tenant_id: tenant.id, after: { request: { queries: 20 } } },
      { tenant_id: tenant.id, before: { request: { queries: 20 } }, after: { request: { wall: 300 } } },
      { tenant_id: tenant.id, before: { request: { wall: 300 } }, after: {} },
      { tenant_id: /^0+-/, before: { request: { queries: 300 } }, after: {} },
    ])
  })

  await t.test('but not with a wrong name or figure, each of which is named', async (t) => {
    const reply = await operator('PUT', forAll, {
      request: { querys: 5, queries: 0, cpu: '1', events: 1e9, calls: 1_000, constructor: 1 },
      jobs: {},
    })
    t.equal(reply.status, 422)
    t.match(reply.body['errors'], [
      { field: 'request.querys', message: /Did you mean 'queries'/ },
      { field: 'request.queries', message: 'must be a whole number from 1 to 5000.' },
      { field: 'request.cpu' },
      { field: 'request.events' },
      { field: 'request.calls', message: /cannot be set/ },
      { field: 'request.constructor' },
      { field: 'jobs' },
    ])
    t.match(await operator('PUT', forAll, []), { status: 422 })
    t.match(await operator('PUT', '/v1/operator/limits', {}), {
      status: 422,
      body: { errors: [{ field: 'module' }] },
    })
    t.match(await operator('GET', '/v1/operator/limits?module=absent'), { status: 404 })
    t.match(await operator('GET', `${forAll}&tenant=absent`), {
      status: 404,
      body: { code: 'TENANT_NOT_FOUND' },
    })
    t.match(await operator('GET', forAll, undefined, { authorization: 'Bearer x' }), { status: 401 })
  })

  await t.test('and CPU a minute, over which requests are refused until the minute is over', async (t) => {
    const busy = await kernel.openTenant('greedy')
    await operator('PUT', `${forAll}&tenant=${busy.id}`, { request: { cpuPerMinute: 100 } })
    const use = () => busy.owner('POST', '/v1/greedy/use', { way: 'cpu', times: 8 })
    t.match(await use(), { status: 200 }, 'the request that reaches it is finished')
    const refused = await use()
    t.match(refused, { status: 502, body: { limit: 'cpuPerMinute', cap: 100 } })
    t.ok(Number(refused.headers['retry-after']) >= 1 && Number(refused.headers['retry-after']) <= 60)
    const looping = await kernel.openTenant('greedy')
    await operator('PUT', `${forAll}&tenant=${looping.id}`, { request: { cpuPerMinute: 400 } })
    const loop = () => looping.owner('POST', '/v1/greedy/use', { way: 'loop', times: 1 })
    t.match(
      [await loop(), await loop(), await loop()],
      [{ body: { limit: 'cpu' } }, { body: { limit: 'cpu' } }, { body: { limit: 'cpuPerMinute' } }],
      'loops that were ended count too',
    )
    t.match(await listing(neighbour, 1), { status: 200 }, 'another tenant is served')
    t.match(
      await tenant.owner('GET', '/v1/greedy/notes'),
      { status: 200 },
      'what runs no code of the plugin too',
    )
  })
})
