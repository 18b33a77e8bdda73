// Services of modules that call each other both ways, and what comes back of them.
import t from 'tap'
import { makeInstallation } from '../support/installation.ts'
import { testKernel } from '../support/kernel.ts'

/** `pass` calls what it is told to, one after the other, each within the one before. */
const pass = (other: string) => `
  pass: { input: { way: t.lines({ service: t.text() }) }, async run(ctx, { way }) {
    await ctx.entities.mark.create({ text: 'pass' })
    const [next, ...rest] = way
    if (!next) return 'there'
    return ctx.uses.${other}[next.service]({ way: rest })
  } },
  other: { input: { way: t.lines({ service: t.text() }) }, async run(ctx, { way: [next, ...rest] }) {
    return next ? ctx.uses.${other}[next.service]({ way: rest }) : 'there'
  } },`

const module = (name: string, other: string, uses: string, rest = '') => `
import { definePlugin, entity, t, use } from '@plinth/sdk'
const mark = entity('Mark', { text: t.text() }, { path: 'marks' })
export default definePlugin({
  name: '${name}', title: '${name}', entities: { mark }, uses: { ${other}: ${uses} },
  services: { ${pass(other)} ${rest} },
  routes: {
    go: { method: 'POST', path: '/go', input: { way: t.lines({ service: t.text() }) },
      run: async (ctx, { way: [next, ...rest] }) => ({ answer: await ctx.uses.${other}[next.service]({ way: rest }) }) },
    has: { method: 'GET', path: '/has', run: (ctx) => ({ has: typeof ctx.uses.${other} }) },
    leave: { method: 'POST', path: '/leave', input: { fails: t.bool() }, async run(ctx, { fails }) {
      const left = Promise.all(Array.from({ length: 20 }, () => ctx.uses.${other}.stall({})))
      if (fails) await Promise.all([left, ctx.uses.${other}.tell({ value: 'wrong' })])
      return 'left'
    } },
    answer: { method: 'POST', path: '/answer', input: { value: t.text() },
      async run(ctx, { value }) { await ctx.entities.mark.create({ text: 'asks' }); return ctx.uses.${other}.tell({ value }) } },
  },
})`

const tell = `stall: { run: () => new Promise(() => {}) },
tell: { input: { value: t.text() }, returns: { mark: t.ref('mark'), on: t.date() },
  async run(ctx, { value }) {
    const { id } = await ctx.entities.mark.create({ text: value })
    return value === 'right' ? { mark: id, on: '2026-01-31' } : { mark: 'secret ' + value, on: '31.1.2026', beside: id }
  } },`

t.test('modules that use each other', async (t) => {
  const root = await makeInstallation(t, {
    '@test/east': { source: module('east', 'west', `use('^1')`) },
    '@test/west': { source: module('west', 'east', `use('^1', { optional: true })`, tell) },
  })
  const kernel = await testKernel(t, { pluginsRoot: root })
  t.same(kernel.kernel.registry.refusals, [], 'an optional use makes no circle of needs')
  const { owner } = await kernel.openTenant('west')
  const marks = async () => {
    const { rows } = await kernel.database.admin.query<{ count: string }>(
      'SELECT (SELECT count(*) FROM plugin_east.mark) + (SELECT count(*) FROM plugin_west.mark) AS count',
    )
    return Number(rows[0]?.count)
  }
  const go = (...services: string[]) =>
    owner('POST', '/v1/east/go', { way: services.map((service) => ({ service })) })

  await t.test('the optional one is there once the tenant has enabled it, and not before', async (t) => {
    t.match(await owner('GET', '/v1/west/has'), { body: { has: 'undefined' } })
    t.match(await owner('POST', '/v1/tenant/modules', { module: 'east' }), { status: 201 })
    t.match(await owner('GET', '/v1/west/has'), { body: { has: 'object' } })
    t.match(await owner('DELETE', '/v1/tenant/modules/east'), { status: 204 }, 'nobody needs it')
    t.match(await owner('GET', '/v1/west/has'), { body: { has: 'undefined' } })
    await owner('POST', '/v1/tenant/modules', { module: 'east' })
  })

  await t.test('a call may come back into a module that waits, by another service', async (t) => {
    t.match(await go('pass', 'pass', 'other', 'other'), { status: 200, body: { answer: 'there' } })
    t.equal(await marks(), 2)
  })

  await t.test(
    'a service that waits for the call is not called again: the refusal shows the way',
    async (t) => {
      t.match(await go('pass', 'pass', 'pass'), {
        status: 502,
        body: {
          code: 'SERVICE_CYCLE',
          detail: /'east' may not call 'west\.pass', .*: east -> west\.pass -> east\.pass -> west\.pass\./,
        },
      })
      t.match(await go('other', 'other', 'other'), { status: 502, body: { code: 'SERVICE_CYCLE' } })
      t.equal(await marks(), 2, 'nothing is kept')
    },
  )

  await t.test(
    'an answer is what its service declares, and its author is told where it is not',
    async (t) => {
      t.match(await owner('POST', '/v1/east/answer', { value: 'right' }), {
        status: 200,
        body: { on: '2026-01-31' },
      })
      t.equal(await marks(), 4)
      const wrong = await owner('POST', '/v1/east/answer', { value: 'wrong' })
      t.match(wrong, {
        status: 502,
        body: {
          code: 'SERVICE_ANSWER_INVALID',
          detail: /'west\.tell' did not answer what it declares: .*answer\.mark/,
        },
      })
      for (const part of ['answer.on', 'answer.beside']) t.match(JSON.stringify(wrong.body), part)
      t.notMatch(JSON.stringify(wrong.body), 'secret', 'values are not repeated')
      t.equal(await marks(), 4, 'nothing is kept')
    },
  )

  await t.test('a service that its caller does not wait for ends with the request', async (t) => {
    const west = kernel.kernel.registry.served('west')
    const inside = () => west?.stable?.host.stats?.().hosts[0]?.inside
    for (const [fails, code] of [
      [false, 'PLUGIN_FAILED'],
      [true, 'SERVICE_ANSWER_INVALID'],
    ] as const) {
      t.match(await owner('POST', '/v1/east/leave', { fails }), { status: 502, body: { code } })
      t.equal(inside(), 0, 'and not with its own deadline: its caller’s place is free for the next')
    }
    t.equal(await marks(), 4, 'nothing is kept')
    t.match(await owner('POST', '/v1/east/answer', { value: 'right' }), { status: 200 }, 'others are served')
  })
})
