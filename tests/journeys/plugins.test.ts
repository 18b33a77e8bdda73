// Packages become modules, or are refused with a sentence; modules call each other within one transaction.
import t from 'tap'
import { makeInstallation } from '../support/installation.ts'
import { testKernel } from '../support/kernel.ts'

const plain = (name: string, rest = '') => `
import { definePlugin, entity, t } from '@plinth/sdk'
export default definePlugin({ name: '${name}', title: '${name}', ${rest} })
`

t.test(
  'packages that cannot be loaded are refused by name, and the kernel starts without them',
  async (t) => {
    const root = await makeInstallation(t, {
      '@test/good': { source: plain('good'), migrations: false },
      '@test/fine': { source: plain('fine'), migrations: false },
      '@test/broken': { source: 'export default {', migrations: false },
      '@test/throws': { source: 'throw new Error("at load")', migrations: false },
      '@test/loops': { source: 'for (;;) {}', migrations: false },
      '@test/nothing': { source: 'export default 7', migrations: false },
      '@test/old': {
        source: plain('old'),
        packageJson: { peerDependencies: { '@plinth/sdk': '^9.0.0' } },
        migrations: false,
      },
      '@test/norange': { source: plain('norange'), packageJson: { peerDependencies: {} }, migrations: false },
      '@test/outside': {
        source: plain('outside'),
        packageJson: { plinth: { plugin: '../../../etc/passwd' } },
        migrations: false,
      },
      '@test/squatter': { source: plain('fine'), migrations: false },
      '@test/area': { source: plain('tenants'), migrations: false },
      '@test/needy': {
        source: plain('needy', `uses: { absent: { range: '^1', optional: false } }`),
        migrations: false,
      },
      '@test/nomigration': {
        source: plain('nomigration', `entities: { thing: entity('Thing', { a: t.text() }) }`),
        migrations: false,
      },
    })
    const kernel = await testKernel(t, { pluginsRoot: root })
    const { plugins, refusals } = kernel.kernel.registry
    t.same([...plugins.keys()], ['good'])
    const refused = new Map(refusals.map((refusal) => [refusal.package, refusal.reason]))
    for (const [name, reason] of [
      ['@test/broken', /cannot be packed|bundle|Unexpected/i],
      ['@test/throws', /at load/],
      ['@test/loops', /load|time|deadline|cpu/i],
      ['@test/nothing', /export|plugin/i],
      ['@test/old', /needs @plinth\/sdk \^9\.0\.0/],
      ['@test/norange', /does not name @plinth\/sdk/],
      ['@test/outside', /outside its own folder/],
      ['@test/fine', /provides the module 'fine', as '@test\/squatter' already does/],
      ['@test/squatter', /provides the module 'fine', as '@test\/fine' already does/],
      ['@test/area', /tenants/],
      ['@test/needy', /needs the module 'absent', which is not installed/],
      ['@test/nomigration', /createEntity 'thing'/],
    ] as const) {
      const sentence = refused.get(name) ?? 'not refused'
      t.match(sentence, reason, name)
      t.ok(sentence.startsWith(`The package '${name}' `), sentence)
    }
    t.match(await kernel.send('GET', '/health/ready'), { status: 200 })
  },
)

const ledger = `
import { definePlugin, entity, fail, t } from '@plinth/sdk'
const booking = entity('Booking', { text: t.text() }, { path: 'bookings' })
export default definePlugin({
  name: 'ledger', title: 'Ledger', entities: { booking },
  errors: { CLOSED: { status: 409, message: 'The ledger is closed for {text}.' } },
  services: {
    book: {
      input: { text: t.text() },
      async run(ctx, { text }) {
        const made = await ctx.entities.booking.create({ text })
        if (text === 'closed') fail('CLOSED', { text })
        return { booking: made.id }
      },
    },
    many: { async run(ctx) { for (let n = 0; n < 40; n += 1) await ctx.entities.booking.list() } },
  },
})`
const shop = `
import { created, definePlugin, entity, t, use } from '@plinth/sdk'
const order = entity('Order', { text: t.text(), status: t.state({ open: ['copied'], copied: [] }) }, { path: 'orders' })
export default definePlugin({
  name: 'shop', title: 'Shop', entities: { order },
  uses: { ledger: use('^1') },
  routes: {
    sell: {
      method: 'POST', path: '/sell', input: { text: t.text(), after: t.bool().default(false) },
      async run(ctx, { text, after }) {
        const order = await ctx.entities.order.create({ text })
        const { booking } = await ctx.uses.ledger.book({ text })
        if (after) throw new Error('after the booking')
        return { order: order.id, booking }
      },
    },
    stubborn: {
      method: 'POST', path: '/stubborn',
      async run(ctx) {
        const order = await ctx.entities.order.create({ text: 'stubborn' })
        await ctx.uses.ledger.book({ text: 'closed' }).catch(() => undefined)
        return order.id
      },
    },
    greedy: {
      method: 'POST', path: '/greedy',
      async run(ctx) { for (let n = 0; n < 20; n += 1) await ctx.uses.ledger.many({}) },
    },
    text: { method: 'GET', path: '/text', run: () => 'a "text"' },
    nothing: { method: 'GET', path: '/nothing', run: () => undefined },
    wrong: { method: 'GET', path: '/wrong', returns: { count: t.int() }, run: () => ({ other: 1 }) },
    everything: { method: 'GET', path: '/everything', run: (ctx) => ctx.entities.order.list({ text: undefined }) },
  },
  actions: {
    order: {
      copy: { to: 'copied', run: async (ctx, order) => created(await ctx.entities.order.create({ text: 'copy of ' + order.text })) },
    },
  },
  roles: { member: { title: 'Member', can: ['order.create', 'route.sell'] } },
})`

t.test('a module calls the service of another', async (t) => {
  const root = await makeInstallation(t, {
    '@test/ledger': { source: ledger },
    '@test/shop': { source: shop },
  })
  const kernel = await testKernel(t, { pluginsRoot: root })
  const tenant = await kernel.openTenant()
  const { owner } = tenant
  const counts = async () => {
    const { rows } = await kernel.database.admin.query<{ orders: string; bookings: string }>(
      'SELECT (SELECT count(*) FROM plugin_shop."order") AS orders, (SELECT count(*) FROM plugin_ledger.booking) AS bookings',
    )
    return rows[0]
  }

  await t.test('which must be enabled first, and cannot be disabled while it is needed', async (t) => {
    t.match(await owner('POST', '/v1/tenant/modules', { module: 'shop' }), {
      status: 409,
      body: { code: 'MODULE_REQUIRES_OTHERS', requires: ['ledger'] },
    })
    await owner('POST', '/v1/tenant/modules', { module: 'ledger' })
    t.match(await owner('POST', '/v1/tenant/modules', { module: 'shop' }), { status: 201 })
    t.match(await owner('DELETE', '/v1/tenant/modules/ledger'), {
      status: 409,
      body: { code: 'MODULE_REQUIRED_BY_OTHERS', requiredBy: ['shop'] },
    })
  })

  await t.test('in one transaction with its own right', async (t) => {
    const member = await kernel.addMember(tenant, 'member')
    t.match(await member('GET', '/v1/ledger/bookings'), { status: 403 }, 'the member may not read the ledger')
    t.match(await member('POST', '/v1/shop/sell', { text: 'tea' }), { status: 200 })
    t.same(await counts(), { orders: '1', bookings: '1' })
  })

  await t.test('and a failure that the caller catches is still the end of it', async (t) => {
    t.match(await owner('POST', '/v1/shop/stubborn'), { status: 409, body: { code: 'CLOSED' } })
    t.same(await counts(), { orders: '1', bookings: '1' })
  })

  await t.test('within the limits of one request, however many handlers work for it', async (t) => {
    t.match(await owner('POST', '/v1/shop/greedy'), { status: 502, body: { code: 'LIMIT_EXCEEDED' } })
  })

  await t.test('and both roll back when either fails', async (t) => {
    t.match(await owner('POST', '/v1/shop/sell', { text: 'closed' }), {
      status: 409,
      body: { code: 'CLOSED', detail: 'The ledger is closed for closed.' },
    })
    t.match(await owner('POST', '/v1/shop/sell', { text: 'tea', after: true }), { status: 502 })
    t.same(await counts(), { orders: '1', bookings: '1' })
  })

  await t.test('an action that makes another record moves its own along too', async (t) => {
    const order = await owner('POST', '/v1/shop/orders', { text: 'one' })
    const path = `/v1/shop/orders/${String(order.body['id'])}`
    const copy = await owner('POST', `${path}/copy`)
    t.match(copy, { status: 201, body: { text: 'copy of one', status: 'open' } })
    t.equal(copy.headers['location'], `/v1/shop/orders/${String(copy.body['id'])}`)
    t.match(await owner('GET', path), { body: { status: 'copied' } })
    t.match(await owner('POST', `${path}/copy`), { status: 409, body: { code: 'TRANSITION_INVALID' } })
  })

  await t.test('what a route answers reaches the client as JSON, whatever it is', async (t) => {
    t.match(await owner('GET', '/v1/shop/text'), { status: 200, body: 'a "text"' })
    t.equal((await owner('GET', '/v1/shop/nothing')).status, 200)
    t.match(await owner('GET', '/v1/shop/wrong'), { status: 200, body: { other: 1 } })
    t.match(await owner('GET', '/v1/shop/everything'), { status: 502, body: { code: 'PLUGIN_FAILED' } })
  })
})
