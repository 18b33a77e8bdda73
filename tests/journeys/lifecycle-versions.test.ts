// Several versions of a plugin are served at once: to tenants that are pinned, to those on the beta channel, and to
// those that try a version first.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { operatedKernel } from '../support/operator.ts'
import { visits } from '../support/visits.ts'

const name = '@acme/visits'
const plugins = '/v1/operator/plugins'
const note = 'note: t.text().optional(),'
/** Tells its version to other modules. */
const told = (version: string) =>
  `services: { which: { input: {}, returns: { version: t.text() }, run: () => ({ version: '${version}' }) } },`
const failing = `broken: { method: 'GET', path: '/broken', run: () => { throw new Error('broken') } },`
const working = `broken: { method: 'GET', path: '/broken', run: () => 'whole' },`

t.test('versions for tenants', async (t) => {
  const { operator, releases, openTenant, database } = await operatedKernel(t)
  const { publish } = releases
  await publish({ name, version: '1.0.0', source: visits('1.0.0', { rest: told('1.0.0'), routes: working }) })
  await publish({
    name: '@acme/desk',
    version: '1.0.0',
    source: visits('1.0.0', {
      name: 'desk',
      rest: `uses: { visits: use('^1') },`,
      routes: `ask: { method: 'GET', path: '/ask', run: (ctx) => ctx.uses.visits.which({}) },`,
    }),
  })
  for (const one of [name, '@acme/desk'])
    t.match((await operator('POST', plugins, { package: one })).body, { state: 'succeeded' })
  const [ada, bob, eve] = await Promise.all([1, 2, 3].map(() => openTenant('visits', 'desk')))
  if (!ada || !bob || !eve) throw new Error('no tenants')
  type Person = typeof ada
  const choose = (tenant: Person, body: object) =>
    operator('PUT', `/v1/operator/tenants/${tenant.slug}/modules/visits`, body)
  const versionOf = async ({ owner }: Person) => (await owner('GET', '/v1/visits/version')).body['version']
  const versions = async () => Promise.all([ada, bob, eve].map(versionOf))

  await t.test('a tenant on the beta channel, one pinned, one on neither', async (t) => {
    const source = visits('1.1.0', { fields: note, rest: told('1.1.0'), routes: working })
    await publish({ name, version: '1.1.0', source, tag: 'beta' })
    const beta = await operator('POST', `${plugins}/visits/upgrade`, { version: 'beta', channel: 'beta' })
    t.match(beta.body, { state: 'succeeded', version: '1.1.0' })
    t.same(await versions(), ['1.0.0', '1.0.0', '1.0.0'], 'nobody has asked for it')
    t.match(await choose(ada, { channel: 'beta' }), { status: 200, body: { channel: 'beta', version: null } })
    t.same(await versions(), ['1.1.0', '1.0.0', '1.0.0'])
    t.match(await choose(bob, { version: '1.0.0' }), {
      status: 200,
      body: { channel: 'stable', version: '1.0.0' },
    })
    t.match((await operator('POST', `${plugins}/visits/upgrade`, { version: '1.1.0' })).body, {
      state: 'succeeded',
    })
    t.same(await versions(), ['1.1.0', '1.0.0', '1.1.0'], 'who is pinned stays')
    t.match((await operator('GET', `${plugins}/visits`)).body, {
      stable: '1.1.0',
      beta: null,
      pins: ['1.0.0'],
    })
  })

  await t.test('each has its own routes, fields, documents and services', async (t) => {
    const body = { who: 'Ada', note: 'new' }
    t.match(await ada.owner('POST', '/v1/visits/visits', body), { status: 201 })
    t.match(await bob.owner('POST', '/v1/visits/visits', body), { status: 422 })
    const documentOf = async ({ owner }: Person) =>
      Object.entries((await owner('GET', '/openapi.json')).body['paths'] ?? {})
        .filter(([path]) => path === '/v1/visits/visits')
        .map(([, item]) => JSON.stringify(item))
        .join()
    t.match(await documentOf(ada), /"note"/)
    t.notMatch(await documentOf(bob), /"note"/)
    t.match((await ada.owner('GET', '/v1/desk/ask')).body, { version: '1.1.0' })
    t.match((await bob.owner('GET', '/v1/desk/ask')).body, { version: '1.0.0' })
  })

  await t.test(
    'a migration that one of them could not live with is refused while it is served',
    async (t) => {
      await publish({
        name,
        version: '1.2.0',
        source: visits('1.2.0', { who: 'guest', fields: note, rest: told('1.2.0') }),
        wishes: { rename: ['visit.who=visit.guest'] },
      })
      const plan = await operator('POST', `${plugins}/visits/upgrade`, { dryRun: true })
      t.match(plan.body['refusals'], [/Tenants are pinned to 1\.0\.0/])
      t.match((await operator('POST', `${plugins}/visits/upgrade`)).body, {
        state: 'failed',
        error: { code: 'PLUGIN_CHANGE_REFUSED', message: /Tenants are pinned to 1\.0\.0/ },
      })
      t.match(await choose(bob, { version: null }), { status: 200, body: { version: null } })
      t.same(await versions(), ['1.1.0', '1.1.0', '1.1.0'])
    },
  )

  await t.test('what an operator chose for a tenant is in its audit trail', async (t) => {
    const { rows } = await database.admin.query(
      `SELECT actor, module, entity, record_id, action, after FROM kernel.audit WHERE tenant_id = $1 AND actor = 'operator' ORDER BY id`,
      [bob.id],
    )
    t.match(rows, [
      { record_id: 'visits', action: 'changed', after: { version: '1.0.0' } },
      { record_id: 'visits', action: 'changed', after: { version: null } },
    ])
  })

  const trial = (tenant: Person) => ({ tenants: [tenant.slug], minutes: 5, minRequests: 5, errorRate: 0.1 })
  const until = async (tenant: Person, version: string) => {
    for (let looks = 0; looks < 500 && (await versionOf(tenant)) !== version; looks += 1) await sleep(20)
    t.equal(await versionOf(tenant), version)
  }

  await t.test('a canary that fails for those that try it is taken back by itself', async (t) => {
    await publish({
      name,
      version: '1.1.1',
      source: visits('1.1.1', { fields: note, rest: told('1.1.1'), routes: failing }),
      tag: 'rc',
      after: '1.1.0',
    })
    const ending = operator('POST', `${plugins}/visits/upgrade`, { version: '1.1.1', canary: trial(eve) })
    await until(eve, '1.1.1')
    t.same(await versions(), ['1.1.0', '1.1.0', '1.1.1'], 'nobody else tries it')
    t.match((await eve.owner('GET', '/v1/desk/ask')).body, { version: '1.1.1' }, 'services, too')
    for (let n = 0; n < 5; n += 1) t.match(await eve.owner('GET', '/v1/visits/broken'), { status: 502 })
    t.match((await ending).body, {
      state: 'failed',
      error: { code: 'CANARY_FAILED', message: /failed in \d+ of \d+ requests/ },
    })
    t.match(await eve.owner('GET', '/v1/visits/broken'), { status: 200 })
    t.match((await operator('GET', `${plugins}/visits`)).body, { stable: '1.1.0', candidate: null })
  })

  await t.test('a canary that does well becomes stable', async (t) => {
    await publish({
      name,
      version: '1.1.2',
      source: visits('1.1.2', { fields: note, rest: told('1.1.2'), routes: working }),
      tag: 'rc',
      after: '1.1.0',
    })
    const canary = { percent: 100, minutes: 0.05, minRequests: 5 }
    const ending = operator('POST', `${plugins}/visits/upgrade`, { version: '1.1.2', canary })
    await until(ada, '1.1.2')
    t.match((await ending).body, {
      state: 'succeeded',
      done: ['fetch', 'hold', 'migrate', 'canary', 'activate'],
    })
    t.same(await versions(), ['1.1.2', '1.1.2', '1.1.2'])
    t.match((await operator('GET', `${plugins}/visits`)).body, {
      stable: '1.1.2',
      previous: '1.1.0',
      candidate: null,
    })
  })
})
