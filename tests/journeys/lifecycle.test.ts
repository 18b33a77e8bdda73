// What an operator does to a plugin, from installation to removal, through a real kernel and a real registry.
import t from 'tap'
import { roleUses } from '../support/database.ts'
import { operatedKernel } from '../support/operator.ts'
import { visits } from '../support/visits.ts'

const name = '@acme/visits'

t.test('the life of a plugin', async (t) => {
  const { operator, releases, openTenant, database, send, kernel } = await operatedKernel(t)
  const { publish } = releases
  const first = await publish({ name, version: '1.0.0', source: visits('1.0.0') })
  const tenant = await openTenant()
  const { owner } = tenant

  /** Every row of the control plane's tables about plugins, and what there is of schemas and roles. */
  async function kernelTables(): Promise<unknown> {
    const tables = [
      'plugin',
      'plugin_version',
      'plugin_operation',
      'plugin_migration',
      'plugin_migration_step',
      'plugin_backfill',
      'tenant_module',
      'module_setting',
      'outbox',
      'audit',
      'canary_count',
    ]
    const rows: Record<string, unknown> = {}
    for (const table of tables)
      rows[table] = (await database.admin.query(`SELECT * FROM kernel.${table} ORDER BY 1, 2`)).rows
    rows['schemas'] = (
      await database.admin.query(`SELECT nspname FROM pg_namespace WHERE nspname LIKE 'plugin%'`)
    ).rows
    rows['columns'] = (
      await database.admin.query(
        `SELECT table_name, column_name FROM information_schema.columns WHERE table_schema LIKE 'plugin%' ORDER BY 1, 2`,
      )
    ).rows
    return rows
  }

  await t.test('a plan of an installation says what it would do, and changes nothing', async (t) => {
    const before = await kernelTables()
    const plan = await operator('POST', '/v1/operator/plugins', { package: name, dryRun: true })
    t.match(plan, {
      status: 200,
      body: {
        kind: 'install',
        module: 'visits',
        package: name,
        to: '1.0.0',
        integrity: first.integrity,
        asks: {},
        newAsks: [],
        holdsRequests: false,
        tenants: { count: 0, slugs: [] },
        refusals: [],
        migrations: { compatibility: 'compatible' },
      },
    })
    t.same(await kernelTables(), before)
  })

  await t.test('is installed, switched on by a tenant, and used', async (t) => {
    t.match(await owner('GET', '/v1/visits/version'), { status: 404 })
    const installed = await operator('POST', '/v1/operator/plugins', {
      package: name,
      version: '^1.0.0',
      integrity: first.integrity,
    })
    t.match(installed.body, {
      kind: 'install',
      module: 'visits',
      package: name,
      version: '1.0.0',
      state: 'succeeded',
      error: null,
      done: ['fetch', 'migrate', 'activate'],
    })
    t.match(await owner('GET', '/v1/visits/version'), { status: 403, body: { code: 'MODULE_NOT_ENABLED' } })
    t.match(await owner('POST', '/v1/tenant/modules', { module: 'visits' }), { status: 201 })
    t.match(await owner('POST', '/v1/visits/visits', { who: 'Ada' }), { status: 201 })
    t.match(await owner('GET', '/v1/visits/version'), { status: 200, body: { version: '1.0.0' } })
  })

  await t.test('is listed with its versions', async (t) => {
    const expected = {
      module: 'visits',
      package: name,
      state: 'active',
      stable: '1.0.0',
      previous: null,
      title: 'Visits 1.0.0',
      tenants: 1,
      versions: [{ version: '1.0.0', source: 'registry', integrity: first.integrity, isLoaded: true }],
    }
    t.match((await operator('GET', '/v1/operator/plugins')).body['items'], [expected])
    t.match((await operator('GET', '/v1/operator/plugins/visits')).body, expected)
  })

  await publish({
    name,
    version: '1.1.0',
    source: visits('1.1.0', {
      fields: 'note: t.text().optional(),',
      routes: `fresh: { method: 'GET', path: '/fresh', run: () => 'new' },`,
    }),
  })

  await t.test('a plan of an upgrade names migrations and tenants, and changes nothing', async (t) => {
    const before = await kernelTables()
    const plan = await operator('POST', '/v1/operator/plugins/visits/upgrade', { dryRun: true })
    t.match(plan, {
      status: 200,
      body: {
        kind: 'upgrade',
        from: '1.0.0',
        to: '1.1.0',
        holdsRequests: false,
        refusals: [],
        tenants: { count: 1, slugs: [tenant.slug] },
        migrations: { compatibility: 'compatible' },
      },
    })
    t.match(JSON.stringify(plan.body['migrations']), /note/)
    t.same(await kernelTables(), before)
  })

  await t.test('is upgraded with its data, a field and a route more', async (t) => {
    const upgraded = await operator('POST', '/v1/operator/plugins/visits/upgrade')
    t.match(upgraded.body, {
      state: 'succeeded',
      version: '1.1.0',
      done: ['fetch', 'hold', 'migrate', 'canary', 'activate'],
    })
    t.match(await owner('GET', '/v1/visits/version'), { body: { version: '1.1.0' } })
    t.match(await owner('GET', '/v1/visits/fresh'), { status: 200 })
    t.match((await owner('GET', '/v1/visits/visits')).body['items'], [{ who: 'Ada' }])
    t.match(await owner('POST', '/v1/visits/visits', { who: 'Bob', note: 'late' }), {
      status: 201,
      body: { note: 'late' },
    })
    t.match((await operator('GET', '/v1/operator/plugins/visits')).body, {
      stable: '1.1.0',
      previous: '1.0.0',
    })
  })

  await t.test('goes back to the version before, and forward again', async (t) => {
    const before = await kernelTables()
    t.match(await operator('POST', '/v1/operator/plugins/visits/rollback', { dryRun: true }), {
      status: 200,
      body: { kind: 'rollback', from: '1.1.0', to: '1.0.0', refusals: [] },
    })
    t.same(await kernelTables(), before)
    t.match((await operator('POST', '/v1/operator/plugins/visits/rollback')).body, {
      state: 'succeeded',
      version: '1.0.0',
    })
    t.match(await owner('GET', '/v1/visits/version'), { body: { version: '1.0.0' } })
    t.match(await owner('GET', '/v1/visits/fresh'), { status: 404 })
    t.equal(((await owner('GET', '/v1/visits/visits')).body['items'] as unknown[]).length, 2)
    t.match((await operator('POST', '/v1/operator/plugins/visits/rollback')).body, {
      state: 'succeeded',
      version: '1.1.0',
    })
    const { items } = (await owner('GET', '/v1/visits/visits')).body
    t.match(items, [{ who: 'Ada' }, { note: 'late' }], 'what the newer version wrote is still there')
  })

  await publish({
    name,
    version: '2.0.0',
    source: visits('2.0.0', { who: 'guest', fields: 'note: t.text().optional(),' }),
    wishes: { rename: ['visit.who=visit.guest'] },
  })

  await t.test(
    'a migration that the version before cannot live with holds requests, and closes the way back',
    async (t) => {
      const plan = await operator('POST', '/v1/operator/plugins/visits/upgrade', { dryRun: true })
      t.match(plan.body, { to: '2.0.0', holdsRequests: true, migrations: { compatibility: 'exclusive' } })
      t.match((await operator('POST', '/v1/operator/plugins/visits/upgrade')).body, {
        state: 'succeeded',
        version: '2.0.0',
      })
      t.match((await owner('GET', '/v1/visits/visits?sort=guest')).body['items'], [
        { guest: 'Ada' },
        { guest: 'Bob' },
      ])
      const reason = /cannot work on the tables as they are now.*old name/
      t.match(
        (await operator('POST', '/v1/operator/plugins/visits/rollback', { dryRun: true })).body['refusals'],
        [reason],
      )
      t.match((await operator('POST', '/v1/operator/plugins/visits/rollback')).body, {
        state: 'failed',
        error: { code: 'PLUGIN_CHANGE_REFUSED', message: reason },
      })
      t.match(await owner('GET', '/v1/visits/version'), { body: { version: '2.0.0' } })
    },
  )

  await t.test('is disabled for everybody and enabled again', async (t) => {
    for (const kind of ['disable', 'enable']) {
      const before = await kernelTables()
      t.match(await operator('POST', `/v1/operator/plugins/visits/${kind}`, { dryRun: true }), {
        status: 200,
        body: { kind },
      })
      t.same(await kernelTables(), before)
      t.match((await operator('POST', `/v1/operator/plugins/visits/${kind}`)).body, {
        kind,
        state: 'succeeded',
      })
      const answer = await owner('GET', '/v1/visits/version')
      if (kind === 'disable') t.match(answer, { status: 503, body: { code: 'MODULE_UNAVAILABLE' } })
      else t.match(answer, { status: 200, body: { version: '2.0.0' } })
    }
  })

  await t.test(
    'is removed only with the module written once more, and by force while tenants have it',
    async (t) => {
      t.match(await operator('DELETE', '/v1/operator/plugins/visits', {}), {
        status: 422,
        body: { errors: [{ field: 'confirm' }] },
      })
      t.match(await operator('DELETE', '/v1/operator/plugins/visits', { confirm: 'visits' }), {
        status: 409,
        body: { code: 'PLUGIN_IN_USE' },
      })
      const before = await kernelTables()
      t.match(await operator('DELETE', '/v1/operator/plugins/visits', { dryRun: true }), {
        status: 200,
        body: { kind: 'remove', refusals: [/1 tenants have/] },
      })
      t.same(await kernelTables(), before)
    },
  )

  await t.test('leaves nothing behind, and a receipt of what went', async (t) => {
    const raised = await operator('PUT', '/v1/operator/limits?module=visits', { request: { queries: 2000 } })
    t.match(raised, { status: 200 })
    await owner('GET', '/v1/visits/version')
    t.match(await owner('GET', '/v1/tenant/usage'), { status: 200 }, 'what was used is written down')
    const used = await database.admin.query(`SELECT FROM kernel.usage WHERE module = 'visits'`)
    t.not(used.rowCount, 0)
    const removed = await operator('DELETE', '/v1/operator/plugins/visits', {
      confirm: 'visits',
      force: true,
    })
    t.match(removed.body, {
      state: 'succeeded',
      done: ['close', 'drop', 'forget'],
      result: {
        receipt: {
          module: 'visits',
          schema: 'plugin_visits',
          rows: 2,
          migrations: 3,
        },
        forgotten: { 'kernel.tenant_module': 1, 'kernel.limit_override': 1, 'kernel.plugin_version': 3 },
      },
    })
    t.match(await owner('GET', '/v1/visits/version'), { status: 404 })
    t.match(await operator('GET', '/v1/operator/plugins/visits'), {
      status: 404,
      body: { code: 'PLUGIN_NOT_FOUND' },
    })
    t.notOk(kernel.registry.plugins.has('visits'))
    const { admin } = database
    const tables = await admin.query<{ place: string; column: string }>(
      `SELECT format('%I.%I', table_schema, table_name) AS place, column_name AS column FROM information_schema.columns
        WHERE table_schema = 'kernel' AND column_name IN ('module', 'plugin')`,
    )
    for (const { place, column } of tables.rows) {
      // What happened is told; and what a module costs stands in the release.
      if (/audit|plugin_operation|catalogue_module|plan_module/.test(place)) continue
      const left = await admin.query(`SELECT FROM ${place} WHERE ${column} = 'visits'`)
      t.equal(left.rowCount, 0, place)
    }
    t.equal((await admin.query(`SELECT FROM pg_namespace WHERE nspname = 'plugin_visits'`)).rowCount, 0)
    t.same((await admin.query(`SELECT ${roleUses} AS rights`)).rows, [{ rights: 0 }])
    const audited = await owner('GET', '/v1/tenant/modules')
    t.same(audited.body['items'], [])
  })

  await t.test('can be installed again, and begins with nothing', async (t) => {
    t.match((await operator('POST', '/v1/operator/plugins', { package: name })).body, {
      state: 'succeeded',
      version: '2.0.0',
    })
    await owner('POST', '/v1/tenant/modules', { module: 'visits' })
    t.same((await owner('GET', '/v1/visits/visits')).body, { items: [] })
  })

  await t.test('all of it is told, newest first, in pages', async (t) => {
    const page = await operator('GET', '/v1/operator/operations?limit=3')
    const items = page.body['items'] as { kind: string; id: string }[]
    t.same(
      items.map((one) => one.kind),
      ['install', 'remove', 'enable'],
    )
    const next = await operator(
      'GET',
      `/v1/operator/operations?limit=3&cursor=${String(page.body['cursor'])}`,
    )
    t.same(
      (next.body['items'] as { kind: string }[]).map((one) => one.kind),
      ['disable', 'rollback', 'upgrade'],
    )
    const isolation = { hostPerTenant: true, jitless: false }
    t.match((await operator('PUT', '/v1/operator/plugins/visits/isolation', isolation)).body, isolation)
    const audited = await database.admin.query<{ action: string }>(
      `SELECT action, after FROM kernel.audit WHERE tenant_id = '00000000-0000-0000-0000-000000000000'
        AND actor = 'operator' AND entity = 'plugin' ORDER BY id DESC LIMIT 3`,
    )
    t.match(audited.rows, [
      { action: 'isolated', after: isolation },
      { action: 'install' },
      { action: 'remove' },
    ])
    t.match(await operator('GET', `/v1/operator/operations/${items[0]?.id}`), { body: { kind: 'install' } })
  })

  void send
})
