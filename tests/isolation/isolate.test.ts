// What a plugin finds in its isolate, and what it cannot do to the next invocation, to another tenant, or to the kernel.
import t from 'tap'
import type { Defence } from '../../kernel/src/defences.ts'
import { zombies } from '../support/aftermath.ts'
import { guestRunner } from '../support/guest-runner.ts'
import { makeInstallation } from '../support/installation.ts'
import { testKernel } from '../support/kernel.ts'
import { guestAttacks } from './guest-attacks.fixture.ts'
import { processAttacks } from './process-attacks.fixture.ts'
import { resourceAttacks } from './resource-attacks.fixture.ts'

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

const outcome = (running: Promise<unknown>): Promise<string> =>
  running.then(
    (answer) => `value ${JSON.stringify(answer)}`,
    (error: { code?: string; data?: { limit?: string } }) => `${error.code} ${error.data?.limit ?? ''}`,
  )

t.test('attacks from inside', { timeout: 90_000 }, async (t) => {
  const { run: runTogether, lines } = await guestRunner(t)
  const echo = async (_: string, input: unknown) => {
    if (JSON.stringify(input).includes('missing')) throw new Error('missing')
    return input
  }
  for (const { attack, source, defence, expected, before, endsHost } of [
    ...guestAttacks,
    ...resourceAttacks,
    ...processAttacks,
  ]) {
    await t.test(`${attack}: ${defence}`, async (t) => {
      const run = endsHost ? (await guestRunner(t)).run : runTogether
      // A tenant of its own for each: what it did to its isolate is looked at, and then nobody's.
      const tenant = attack
      if (before !== undefined) await run(before, { tenant, answer: echo }).catch(() => undefined)
      const said = await outcome(run(source, { tenant, answer: echo }))
      if ('value' in expected) t.equal(said, `value ${JSON.stringify(expected.value)}`)
      else t.match(said.slice(0, 1_000), expected.error)
      t.equal(
        await outcome(run('return 1 + 1', { tenant: 'neighbour' })),
        'value 2',
        'another tenant is served',
      )
      t.equal(await outcome(run('return 1 + 1', { tenant })), 'value 2', 'the same tenant is served')
    })
  }
  const deaths = lines.filter((line) => line['msg'] === 'a host has ended')
  t.same(deaths, [], 'nobody else noticed: no host has died')
  t.same(zombies(), [], 'and of those that did nothing is left')
})

t.test(
  'with guestGlobals down, memory that no limit counts is taken until the kernel kills the host',
  async (t) => {
    // Bit by bit, so that no timeout is in the way, and every page is touched.
    const grow = (make: string) => `
    const kept = []
    for (let n = 0; n < 40; n += 1) {
      const buffer = ${make}
      const bytes = new Uint8Array(buffer)
      for (let at = 0; at < bytes.length; at += 4096) bytes[at] = 1
      kept.push(buffer)
      await new Promise((done) => setTimeout(done, 20))
    }
    return kept.length`
    const attacks = [
      grow('new WebAssembly.Memory({ initial: 500, maximum: 500 }).buffer'),
      grow(
        '(() => { const one = new ArrayBuffer(1, { maxByteLength: 3e7 }); one.resize(3e7); return one })()',
      ),
      grow(
        '(() => { const one = new SharedArrayBuffer(1, { maxByteLength: 3e7 }); one.grow(3e7); return one })()',
      ),
    ]
    const plenty = { cpuMs: 20_000, wallMs: 20_000 }
    const killed = (lines: readonly Record<string, unknown>[]) =>
      lines.filter((line) => line['msg'] === 'a host takes too much memory; it is killed').length
    for (const source of attacks) {
      const down = await guestRunner(t, new Set<Defence>(['guestGlobals']))
      t.match(await outcome(down.run(source, plenty)), 'LIMIT_EXCEEDED memory')
      t.equal(killed(down.lines), 1, 'it took the memory')
      const up = await guestRunner(t)
      t.match(await outcome(up.run(source, plenty)), 'PLUGIN_FAILED')
      t.equal(killed(up.lines), 0, 'with the wall there it could not')
    }
  },
)

t.test('what a tenant draws at random is his alone', async (t) => {
  const { run } = await guestRunner(t)
  const draw =
    'return [crypto.randomUUID(), [...crypto.getRandomValues(new Uint32Array(8))].join(), Math.random()]'
  const drawn = await Promise.all(['a', 'a', 'b', 'c'].map((tenant) => run(draw, { tenant })))
  const all = drawn.flat()
  t.equal(new Set(all).size, all.length)
})
