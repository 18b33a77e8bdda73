// Who keeps killing hosts is kept out, and nobody else.
import t, { type Test } from 'tap'
import { defaultLimits } from '../../kernel/src/sandbox/limits.ts'
import { createHostStarter } from '../../kernel/src/sandbox/supervisor.ts'
import { recordingLog } from '../support/recording-log.ts'
import { bundleOf, caller, eventually, hostsNow } from '../support/sandbox.ts'

const source = bundleOf(`{
  well: () => 'well',
  ask: (ctx) => ctx.entities.note.get('a'),
  kill: () => Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1),
}`)

t.test('deaths of a host', { skip: process.platform !== 'linux' && 'reads /proc' }, async (t) => {
  const { log, lines } = recordingLog()
  const startHost = await createHostStarter(log)

  const open = async (t: Test, circuit: Partial<typeof defaultLimits.circuit> = {}) => {
    const limits = { ...defaultLimits, circuit: { ...defaultLimits.circuit, ...circuit } }
    const host = await startHost({ name: '@test/notes', bundle: source, log, limits })
    t.teardown(() => host.close())
    const call = caller(host)
    const killHost = async () => {
      for (const pid of hostsNow()) process.kill(pid, 'SIGKILL')
      // Who calls before the kernel has noticed is inside when it does, and alone.
      await eventually(() => host.stats().hosts.length === 0)
    }
    return { host, call, killHost }
  }

  await t.test('that one tenant causes keep this tenant out, and the plugin serves the others', async (t) => {
    const pair = { ...defaultLimits.circuit.pair, kills: 2 }
    const { host, call } = await open(t, { pair })
    for (let death = 0; death < 2; death += 1) {
      await t.rejects(call('kill', { tenant: 'bad' }), { code: 'LIMIT_EXCEEDED', data: { limit: 'cpu' } })
      t.equal(await call('well', { tenant: 'good' }), 'well')
    }
    const error = await call('well', { tenant: 'bad' }).catch((error: unknown) => error)
    t.match(error, { code: 'MODULE_UNAVAILABLE', status: 503 })
    const { retryAfter } = (error as { data: { retryAfter: number } }).data
    t.ok(retryAfter > 20 && retryAfter <= 30, `he is told to come back in ${retryAfter} s`)
    t.equal(await call('well', { tenant: 'good' }), 'well')
    t.match(host.stats().deaths, { 'could not stop an invocation': 2 })
    const line = lines.find(({ msg }) => String(msg).startsWith('a tenant keeps killing'))
    t.match(line, { plugin: '@test/notes', tenant: 'bad' })
  })

  await t.test('keep him out also where he was admitted: a service of another module', async (t) => {
    const pair = { ...defaultLimits.circuit.pair, kills: 2 }
    const { host, call } = await open(t, { pair })
    for (let death = 0; death < 2; death += 1) {
      await t.rejects(call('kill', { tenant: 'bad' }), { code: 'LIMIT_EXCEEDED', data: { limit: 'cpu' } })
    }
    const asService = caller({
      ...host,
      invoke: (invocation) => host.invoke({ ...invocation, isAdmitted: true }),
    })
    await t.rejects(asService('well', { tenant: 'bad' }), { code: 'MODULE_UNAVAILABLE', status: 503 })
    t.equal(await asService('well', { tenant: 'good' }), 'well')
  })

  await t.test('without that wall he goes on', async (t) => {
    const pair = { ...defaultLimits.circuit.pair, kills: 1_000 }
    const { call } = await open(t, { pair })
    for (let death = 0; death < 3; death += 1) {
      await t.rejects(call('kill', { tenant: 'bad' }), { code: 'LIMIT_EXCEEDED', data: { limit: 'cpu' } })
    }
  })

  await t.test('while two tenants are inside are nobody’s, and open the circuit of the plugin', async (t) => {
    const { call, killHost } = await open(t)
    for (let death = 0; death < 3; death += 1) {
      await call('well')
      let asked = 0
      const answer = () => {
        asked += 1
        return new Promise(() => undefined)
      }
      const codeOf = (error: { code: string }) => error.code
      const inside = ['a', 'b'].map((tenant) => call('ask', { tenant, answer }).catch(codeOf))
      await eventually(() => asked === 2)
      await killHost()
      t.same(await Promise.all(inside), ['MODULE_UNAVAILABLE', 'MODULE_UNAVAILABLE'])
    }
    const error = await call('well', { tenant: 'c' }).catch((error: unknown) => error)
    t.match(error, { code: 'MODULE_UNAVAILABLE', status: 503 })
    const { retryAfter } = (error as { data: { retryAfter: number } }).data
    t.ok(retryAfter > 20 && retryAfter <= 30, `${retryAfter} s`)
  })

  await t.test(
    'come back from: the circuit closes, and after a quiet time it opens as briefly as at first',
    async (t) => {
      const plugin = { kills: 1, withinMs: 60_000, openMs: 200, longestOpenMs: 60_000, quietMs: 300 }
      const { call, killHost } = await open(t, { plugin })
      const well = () =>
        call('well')
          .then(() => true)
          .catch(() => false)
      for (let death = 0; death < 4; death += 1) {
        await call('well')
        await killHost()
        t.equal(await well(), false)
        let isServed = false
        const since = performance.now()
        while (!isServed && performance.now() - since < 10_000) isServed = await well()
        t.ok(isServed, 'closed again')
        await new Promise((resolve) => setTimeout(resolve, 400))
      }
      const openings = lines.filter(
        ({ msg, openMs }) => /keeps dying/.test(String(msg)) && Number(openMs) < 1_000,
      )
      t.same(
        openings.map(({ openMs }) => openMs),
        [200, 200, 200, 200],
      )
    },
  )

  await t.test('of many tenants, each within his limit, are too many together', async (t) => {
    const all = { ...defaultLimits.circuit.all, kills: 2 }
    const { call } = await open(t, { all })
    for (const tenant of ['a', 'b']) await t.rejects(call('kill', { tenant }), { code: 'LIMIT_EXCEEDED' })
    await t.rejects(call('well', { tenant: 'c' }), { code: 'MODULE_UNAVAILABLE' })
  })
})
