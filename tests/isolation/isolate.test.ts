// What a plugin finds in its isolate, and what it cannot do to the next invocation, to another tenant, or to the kernel.
import t from 'tap'
import { makeInstallation } from '../support/installation.ts'
import { testKernel } from '../support/kernel.ts'

const source = `
import { definePlugin, entity, fail, t } from '@plinth/sdk'

const thing = entity('Thing', { name: t.text() }, { path: 'things' })
let seen = 0
let kept
const tries = {
  globals: () => ['process', 'require', 'fetch', 'WebAssembly', 'SharedArrayBuffer', 'Atomics', 'Intl', 'WeakRef',
    'FinalizationRegistry', '__plinthPlugin'].filter((name) => name in globalThis),
  buffers: () => ['resize', 'transfer'].filter((name) => name in ArrayBuffer.prototype),
  constructor: () => typeof Function('return this')().process,
  count: () => { seen += 1; return seen },
  keep: (ctx) => { kept = ctx; return 'kept' },
  late: async () => { await kept.entities.thing.create({ name: 'late' }); return 'it worked' },
  flood: async (ctx) => { for (let n = 0; n < 2000; n += 1) await ctx.entities.thing.list() },
  floodCaught: async (ctx) => { for (let n = 0; n < 2000; n += 1) try { await ctx.entities.thing.list() } catch {} },
  storm: async (ctx) => { await Promise.all(Array.from({ length: 200 }, () => ctx.entities.thing.list())) },
  argument: (ctx) => ctx.entities.thing.create({ name: 'x'.repeat(300_000) }),
  pollute: () => { Object.prototype.polluted = 'yes'; return {} },
  protoAnswer: () => JSON.parse('{"__proto__":{"polluted":"yes"},"constructor":{"prototype":{"polluted":"yes"}}}'),
  thenable: () => ({ then: 'not a function', status: 500, code: 'X' }),
  sql: (ctx) => typeof ctx.sql,
  http: (ctx) => typeof ctx.http,
  parse: () => { JSON.parse = () => ({ forged: true }); JSON.stringify = () => '{"forged":true}'; return { real: 1 } },
}
export default definePlugin({
  name: 'things', title: 'Things', entities: { thing },
  routes: { attempt: { method: 'POST', path: '/attempt', input: { what: t.text() },
    run: async (ctx, { what }) => ({ answer: (await tries[what](ctx)) ?? null }) } },
})
`

t.test('in its isolate a plugin', async (t) => {
  const root = await makeInstallation(t, { '@test/things': { source } })
  const kernel = await testKernel(t, { pluginsRoot: root })
  const { owner } = await kernel.openTenant('things')
  const { owner: neighbour } = await kernel.openTenant('things')
  const attempt = (what: string) => owner('POST', '/v1/things/attempt', { what })
  const answer = async (what: string) => (await attempt(what)).body['answer']

  await t.test('finds the language and nothing of Node', async (t) => {
    t.same(await answer('globals'), [])
    t.same(await answer('buffers'), [])
    t.equal(await answer('constructor'), 'undefined')
    t.equal(await answer('sql'), 'undefined', 'sql was not asked for')
    t.equal(await answer('http'), 'undefined')
  })

  await t.test('keeps its globals from one request to the next, and no other tenant sees them', async (t) => {
    t.equal(await answer('count'), 1)
    t.equal(await answer('count'), 2)
    const { body } = await neighbour('POST', '/v1/things/attempt', { what: 'count' })
    t.equal(body['answer'], 1)
  })

  await t.test('cannot use a ctx after its invocation', async (t) => {
    t.equal(await answer('keep'), 'kept')
    t.match(await attempt('late'), { status: 502, body: { code: 'PLUGIN_FAILED' } })
  })

  for (const what of ['flood', 'floodCaught', 'storm', 'argument'] as const) {
    await t.test(`is stopped by a limit it cannot catch: ${what}`, async (t) => {
      t.match(await attempt(what), { status: 502, body: { code: 'LIMIT_EXCEEDED' } })
      t.equal(typeof (await answer('count')), 'number')
    })
  }

  await t.test('pollutes no prototype but its own', async (t) => {
    t.match(await attempt('protoAnswer'), { status: 200 })
    t.match(await attempt('thenable'), { status: 200 })
    t.match(await attempt('pollute'), { status: 200 })
    t.notOk('polluted' in {}, 'the kernel is clean')
    const { body } = await neighbour('POST', '/v1/things/attempt', { what: 'thenable' })
    t.notOk('polluted' in body)
  })

  await t.test('hurts only itself by replacing built-ins', async (t) => {
    t.match(await attempt('parse'), { status: 200 })
    t.match(await neighbour('POST', '/v1/things/attempt', { what: 'count' }), { status: 200 })
  })
})
