// What an operator is refused, and that a refusal leaves everything as it was.
import t from 'tap'
import { makeInstallation } from '../support/installation.ts'
import { testKernel } from '../support/kernel.ts'
import { operatedKernel, operatorOf, operatorToken } from '../support/operator.ts'
import { visits } from '../support/visits.ts'

const name = '@acme/visits'
const plugins = '/v1/operator/plugins'

t.test('an operator is refused', async (t) => {
  const root = await makeInstallation(t, { '@test/folder': { source: visits('1.0.0', { name: 'folder' }) } })
  const { operator, releases, openTenant, send, database } = await operatedKernel(t, { pluginsRoot: root })
  const { publish } = releases
  await publish({ name, version: '1.0.0', source: visits('1.0.0') })
  const tenant = await openTenant()
  const install = (body: object) => operator('POST', plugins, body)
  t.match((await install({ package: name })).body, { state: 'succeeded' })

  await t.test('without the operator token, with a person’s and with a wrong one', async (t) => {
    const denied = { status: 401, body: { code: 'OPERATOR_REQUIRED' } }
    for (const [method, path] of [
      ['GET', plugins],
      ['GET', `${plugins}/visits`],
      ['POST', plugins],
      ['POST', `${plugins}/visits/upgrade`],
      ['POST', `${plugins}/visits/rollback`],
      ['POST', `${plugins}/visits/disable`],
      ['POST', `${plugins}/visits/enable`],
      ['DELETE', `${plugins}/visits`],
      ['PUT', `${plugins}/visits/isolation`],
      ['PUT', `/v1/operator/tenants/${tenant.slug}/modules/visits`],
      ['GET', '/v1/operator/operations'],
      ['GET', '/v1/operator/operations/0b3a6f4e-0000-4000-8000-000000000000'],
    ] as const) {
      t.match(await send(method, path), denied, path)
      t.match(await tenant.owner(method, path), denied, path)
      t.match(await operatorOf(send, 'another-token-that-is-long-enough-too')(method, path), denied, path)
    }
  })

  await t.test('what names no module, package, version or operation that there is', async (t) => {
    for (const kind of ['upgrade', 'rollback', 'disable', 'enable'])
      t.match(
        await operator('POST', `${plugins}/absent/${kind}`),
        { status: 404, body: { code: 'PLUGIN_NOT_FOUND' } },
        kind,
      )
    t.match(await operator('DELETE', `${plugins}/absent`, { confirm: 'absent' }), { status: 404 })
    t.match((await install({ package: '@acme/absent' })).body, {
      state: 'failed',
      error: { code: 'PACKAGE_NOT_FOUND' },
    })
    t.match(await operator('POST', plugins, { package: '@acme/absent', dryRun: true }), {
      status: 404,
      body: { code: 'PACKAGE_NOT_FOUND' },
    })
    t.match((await operator('POST', `${plugins}/visits/upgrade`, { version: '9.9.9' })).body, {
      state: 'failed',
      error: { code: 'PACKAGE_NOT_FOUND' },
    })
    t.match(await operator('POST', `${plugins}/visits/rollback`, { version: '9.9.9' }), {
      status: 404,
      body: { code: 'VERSION_NOT_FOUND' },
    })
    t.match(await operator('POST', `${plugins}/visits/rollback`), {
      status: 409,
      body: { code: 'PLUGIN_CHANGE_REFUSED', detail: /no version before/ },
    })
    t.match(await operator('GET', '/v1/operator/operations/0b3a6f4e-0000-4000-8000-000000000000'), {
      status: 404,
    })
  })

  await t.test('bodies that say something else, by the field', async (t) => {
    for (const [method, path, body, field] of [
      ['POST', plugins, {}, 'package'],
      ['POST', plugins, { package: 7 }, 'package'],
      ['POST', plugins, { package: name, version: '1.0; drop' }, 'version'],
      ['POST', plugins, { package: name, integrity: 'sha1-x' }, 'integrity'],
      ['POST', plugins, { package: name, force: true }, 'force'],
      ['POST', `${plugins}/visits/upgrade`, { channel: 'nightly' }, 'channel'],
      ['POST', `${plugins}/visits/upgrade`, { canary: {} }, 'canary.minutes'],
      ['POST', `${plugins}/visits/upgrade`, { canary: { minutes: 1, percent: 101 } }, 'canary.percent'],
      ['POST', `${plugins}/visits/upgrade`, { channel: 'beta', canary: { minutes: 1 } }, 'canary'],
      ['POST', `${plugins}/visits/disable`, { dryRun: 'yes' }, 'dryRun'],
      ['DELETE', `${plugins}/visits`, { confirm: 'visit' }, 'confirm'],
      ['PUT', `${plugins}/visits/isolation`, { jitless: true }, 'hostPerTenant'],
      ['PUT', `/v1/operator/tenants/${tenant.slug}/modules/visits`, { channel: 'gold' }, 'channel'],
    ] as const) {
      t.match(
        await operator(method, path, body),
        { status: 422, body: { code: 'VALIDATION', errors: [{ field }] } },
        `${path} ${field}`,
      )
    }
  })

  await t.test('the same twice, and another package for a module', async (t) => {
    const again = { state: 'failed', error: { code: 'PLUGIN_INSTALLED' } }
    t.match((await install({ package: name })).body, again)
    t.match((await operator('POST', plugins, { package: name, dryRun: true })).body['refusals'], [/already/])
    await publish({ name: '@other/visits', version: '1.0.0', source: visits('1.0.0') })
    t.match((await install({ package: '@other/visits' })).body, {
      state: 'failed',
      error: { code: 'PACKAGE_REFUSED', message: /@acme\/visits/ },
    })
    t.match((await operator('GET', `${plugins}/visits`)).body, {
      package: name,
      state: 'active',
      stable: '1.0.0',
    })
  })

  await t.test('what leaves a module without what it needs', async (t) => {
    const desk = visits('1.0.0', { name: 'desk', rest: `uses: { visits: use('^1') },` })
    await publish({
      name: '@acme/lost',
      version: '1.0.0',
      source: visits('1.0.0', { name: 'lost', rest: `uses: { absent: use('^1') },` }),
    })
    t.match((await install({ package: '@acme/lost' })).body, {
      state: 'failed',
      error: { code: 'MODULE_NEEDS_UNMET', message: /needs the module 'absent', which is not installed/ },
    })
    t.match((await operator('POST', plugins, { package: '@acme/lost', dryRun: true })).body['refusals'], [
      /absent/,
    ])
    await publish({ name: '@acme/desk', version: '1.0.0', source: desk })
    t.match((await install({ package: '@acme/desk' })).body, { state: 'succeeded' })
    await publish({ name, version: '2.0.0', source: visits('2.0.0') })
    t.match((await operator('POST', `${plugins}/visits/upgrade`)).body, {
      state: 'failed',
      error: { code: 'MODULE_NEEDS_UNMET', message: /'desk' needs 'visits' \^1, and this is 2.0.0/ },
    })
    const needed = {
      status: 409,
      body: { code: 'PLUGIN_CHANGE_REFUSED', detail: /'desk' cannot work without 'visits'/ },
    }
    t.match(await operator('DELETE', `${plugins}/visits`, { confirm: 'visits', force: true }), needed)
    t.match(await operator('POST', `${plugins}/visits/disable`), needed)
    t.match((await operator('GET', `${plugins}/visits`)).body, {
      state: 'active',
      stable: '1.0.0',
      versions: [{ version: '1.0.0' }],
    })
  })

  await t.test('a second change of a module while one is under way', async (t) => {
    const { admin } = database
    t.match((await operator('POST', `${plugins}/desk/disable`)).body, { state: 'succeeded' })
    await admin.query('BEGIN')
    await admin.query(`SELECT FROM kernel.plugin WHERE module = 'visits' FOR UPDATE`)
    const slow = operator('POST', `${plugins}/visits/disable`)
    for (;;) {
      const { rowCount } = await admin.query(
        `SELECT FROM kernel.plugin_operation WHERE module = 'visits' AND state = 'running'`,
      )
      if (rowCount === 1) break
    }
    t.match(await operator('POST', `${plugins}/visits/enable`), {
      status: 409,
      body: { code: 'OPERATION_UNDER_WAY' },
    })
    const other = await operator('POST', `${plugins}/desk/enable`)
    t.match(other.body, { state: 'succeeded' }, 'another module is not concerned')
    await admin.query('COMMIT')
    t.match((await slow).body, { state: 'succeeded' })
    t.match((await operator('POST', `${plugins}/visits/enable`)).body, { state: 'succeeded' })
  })

  await t.test('the removal of what is among the installation’s own packages', async (t) => {
    t.match(await operator('DELETE', `${plugins}/folder`, { confirm: 'folder' }), {
      status: 409,
      body: { code: 'PLUGIN_CHANGE_REFUSED', detail: /package\.json/ },
    })
  })

  await t.test('a pin to what is not there or cannot work', async (t) => {
    const choose = (slug: string, module: string, body: object) =>
      operator('PUT', `/v1/operator/tenants/${slug}/modules/${module}`, body)
    t.match(await choose(tenant.slug, 'visits', { version: '1.0.0' }), {
      status: 403,
      body: { code: 'MODULE_NOT_ENABLED' },
    })
    await tenant.owner('POST', '/v1/tenant/modules', { module: 'visits' })
    t.match(await choose('nobody', 'visits', { version: '1.0.0' }), {
      status: 404,
      body: { code: 'TENANT_NOT_FOUND' },
    })
    t.match(await choose(tenant.slug, 'absent', { version: '1.0.0' }), {
      status: 404,
      body: { code: 'PLUGIN_NOT_FOUND' },
    })
    t.match(await choose(tenant.slug, 'visits', { version: '7.0.0' }), {
      status: 404,
      body: { code: 'VERSION_NOT_FOUND' },
    })
    await publish({
      name,
      version: '1.1.0',
      source: visits('1.1.0', { who: 'guest' }),
      wishes: { rename: ['visit.who=visit.guest'] },
    })
    t.match((await operator('POST', `${plugins}/visits/upgrade`, { version: '1.1.0' })).body, {
      state: 'succeeded',
    })
    t.match(await choose(tenant.slug, 'visits', { version: '1.0.0' }), {
      status: 409,
      body: { code: 'PLUGIN_CHANGE_REFUSED', detail: /old name/ },
    })
    t.match(await tenant.owner('GET', '/v1/visits/version'), { body: { version: '1.1.0' } })
  })
})

t.test('without a registry nothing is fetched, and the refusal names the setting', async (t) => {
  const { send } = await testKernel(t, { operatorToken })
  const { body } = await operatorOf(send)('POST', plugins, { package: name })
  t.match(body, { state: 'failed', error: { code: 'REGISTRY_UNAVAILABLE', message: /PLINTH_REGISTRY/ } })
})
