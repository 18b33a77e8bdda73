// How many processes a plugin has, and for how long: idle ones end, a sensitive plugin has one for each tenant, one without
// compilers serves the same, and many tenants fit into one.
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { defaultLimits, type SandboxLimits } from '../../kernel/src/sandbox/limits.ts'
import { createHostStarter, type HostOptions } from '../../kernel/src/sandbox/supervisor.ts'
import { recordingLog } from '../support/recording-log.ts'
import { bundleOf, caller, eventually, hostsNow } from '../support/sandbox.ts'

const source =
  'let seen = 0; let kept\n' +
  bundleOf(`{
  count: () => ++seen,
  keep: (ctx, { mb }) => { kept = Array.from({ length: mb }, () => Array(131072).fill(1.5)); return kept.length },
  ask: (ctx) => ctx.entities.note.get('a'),
  sum: () => { let sum = 0; for (let i = 0; i < 1e5; i++) sum += i * 1.5; return sum },
}`)

const rssMb = (pid = 0): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024

t.test('the processes of a plugin', { skip: process.platform !== 'linux' && 'reads /proc' }, async (t) => {
  const { log } = recordingLog()
  const startHost = await createHostStarter(log)

  type Change = { readonly [K in 'guest' | 'host']?: Partial<SandboxLimits[K]> }
  const open = async (t: Test, { guest, host }: Change = {}, options: Partial<HostOptions> = {}) => {
    const limits: SandboxLimits = {
      ...defaultLimits,
      guest: { ...defaultLimits.guest, ...guest },
      host: { ...defaultLimits.host, ...host },
    }
    const opened = await startHost({ name: '@test/notes', bundle: source, log, limits, ...options })
    t.teardown(() => opened.close())
    return { host: opened, call: caller(opened) }
  }

  await t.test('one that nobody asks ends, and the next call has a new one', async (t) => {
    const { host, call } = await open(t, { host: { idleMs: 300, heartbeatMs: 100, heartbeatsMissed: 100 } })
    t.equal(await call('count'), 1)
    const [before] = hostsNow()
    t.ok(await eventually(() => hostsNow().length === 0), 'it has ended')
    t.same(host.stats().hosts, [])
    t.equal(await call('count'), 1, 'served by a new one, with new globals')
    t.not(hostsNow()[0], before)
    t.same(host.stats().deaths, {}, 'that was no death')
  })

  await t.test('one with somebody inside does not end for being idle', async (t) => {
    const { call } = await open(t, { host: { idleMs: 100, heartbeatMs: 50, heartbeatsMissed: 100 } })
    const answer = () => new Promise((resolve) => setTimeout(resolve, 600, { id: 'late' }))
    t.same(await call('ask', { answer }), { id: 'late' })
  })

  await t.test('say what they are doing', async (t) => {
    const { host, call } = await open(t, { host: { heartbeatMs: 50, heartbeatsMissed: 100, rssPollMs: 20 } })
    let release: ((value: unknown) => void) | undefined
    const answer = () =>
      new Promise((resolve) => {
        release = resolve
      })
    const asked = call('ask', { answer })
    await call('count', { tenant: 'b' })
    await eventually(() => release !== undefined && (host.stats().hosts[0]?.isolates ?? 0) >= 2)
    t.match(host.stats(), { inside: 1, waiting: 0, deaths: {}, dropped: 0 })
    const [one] = host.stats().hosts
    t.match(one, { pid: hostsNow()[0], inside: 1, dropped: 0, since: /^\d{4}-/ })
    t.ok((one?.rssMb ?? 0) > 20, `${one?.rssMb} MB`)
    release?.({ id: 'a' })
    await asked
  })

  await t.test('can be one for each tenant, a bounded number of them', async (t) => {
    const change = { host: { hostsPerPlugin: 2, idleMs: 60_000 } }
    const { host, call } = await open(t, change, { hostPerTenant: true })
    t.match(await host.describe(), { name: 'notes' })
    t.ok(await eventually(() => hostsNow().length === 0), 'the one that described it is gone')
    t.equal(await call('count', { tenant: 'a' }), 1)
    t.equal(await call('count', { tenant: 'a' }), 2)
    t.equal(await call('count', { tenant: 'b' }), 1)
    t.equal(new Set(hostsNow()).size, 2)
    t.equal(await call('count', { tenant: 'c' }), 1)
    t.ok(await eventually(() => hostsNow().length === 2), 'the one that was longest unused made room')
    t.equal(await call('count', { tenant: 'b' }), 2, 'b still has his')
    t.equal(await call('count', { tenant: 'a' }), 1, 'a has a new one')

    const holds: ((value: unknown) => void)[] = []
    const answer = () => new Promise((resolve) => void holds.push(resolve))
    const busy = ['x', 'y'].map((tenant) => call('ask', { tenant, answer }))
    t.ok(await eventually(() => holds.length === 2))
    await t.rejects(call('count', { tenant: 'z' }), { code: 'MODULE_UNAVAILABLE' }, 'all are in use')
    for (const release of holds) release({ id: 'a' })
    await Promise.all(busy)
  })

  await t.test('for each tenant die for themselves', async (t) => {
    const { call } = await open(t, {}, { hostPerTenant: true })
    await call('count', { tenant: 'a' })
    const [pid = 0] = hostsNow()
    await call('count', { tenant: 'b' })
    const asked = call('ask', { tenant: 'a', answer: () => new Promise(() => undefined) })
    process.kill(pid, 'SIGKILL')
    await t.rejects(asked, { code: 'MODULE_UNAVAILABLE' })
    t.equal(await call('count', { tenant: 'b' }), 2)
  })

  await t.test('can be without compilers to machine code', async (t) => {
    const { call } = await open(t, {}, { jitless: true })
    t.equal(await call('sum'), 7499925000)
    t.match(readFileSync(`/proc/${hostsNow()[0]}/cmdline`, 'utf8'), /--jitless/)
  })

  await t.test('give up idle isolates before they are killed for their memory', async (t) => {
    // Forty tenants of whom each leaves 8 MB behind: 320 MB, in a host that may have 300.
    const visit = async (pressureMb: number) => {
      const { host, call } = await open(t, { guest: { pressureMb }, host: { rssMb: 300, rssPollMs: 20 } })
      const all = Array.from({ length: 40 }, (_, n) => `tenant-${n}`)
      const outcomes: string[] = []
      for (const tenant of all) {
        await call('keep', { tenant, input: { mb: 8 } }).then(
          () => outcomes.push('kept'),
          (error: { code: string }) => outcomes.push(error.code),
        )
      }
      const [one] = host.stats().hosts
      if (one) t.ok(rssMb(one.pid) < 400)
      return { deaths: host.stats().deaths, failed: outcomes.filter((one) => one !== 'kept') }
    }
    t.same(await visit(200), { deaths: {}, failed: [] })
    t.match((await visit(10_000)).deaths, { memory: /^[1-9]/ }, 'and without that they are')
  })
})
