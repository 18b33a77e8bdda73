// One tenant's storm is his own: what many invocations at once do to each other, and to another tenant.
import t, { type Test } from 'tap'
import type { Defence } from '../../kernel/src/defences.ts'
import { defaultLimits } from '../../kernel/src/sandbox/limits.ts'
import { createHostStarter } from '../../kernel/src/sandbox/supervisor.ts'
import { recordingLog } from '../support/recording-log.ts'
import { bundleOf, caller, eventually, spin } from '../support/sandbox.ts'

const source =
  spin +
  bundleOf(`{
  well: () => 'well',
  spin: (ctx, { ms }) => spin(ms),
  ask: (ctx) => ctx.entities.note.get('a'),
}`)

// A spin by the clock takes as long however little CPU it is given; what is tested is who waits for whom.
const patient = { limits: { cpuMs: 5_000, wallMs: 60_000 } }

const outcome = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'answered',
    (error: { code?: string }) => String(error.code),
  )

t.test('one plugin for many callers', async (t) => {
  const { log } = recordingLog()
  const open = async (
    t: Test,
    off: readonly Defence[] = [],
    host: Partial<typeof defaultLimits.host> = {},
  ) => {
    const startHost = await createHostStarter(log, new Set(off))
    const limits = { ...defaultLimits, host: { ...defaultLimits.host, ...host } }
    const opened = await startHost({ name: '@test/notes', bundle: source, log, limits })
    t.teardown(() => opened.close())
    return { host: opened, call: caller(opened) }
  }

  await t.test('sixty at once of one tenant, each well within its limits, are all answered', async (t) => {
    // Without the queue they are all in the host together, and wait for their isolate's turn there.
    for (const off of [[], ['fairQueue']] as const) {
      const { host, call } = await open(t, off)
      t.equal(await call('well'), 'well')
      const pid = host.stats().hosts[0]?.pid
      const billed: number[] = []
      const spent = (cpuMs: number) => void billed.push(cpuMs)
      const from = performance.now()
      const calls = Array.from({ length: 60 }, () =>
        outcome(call('spin', { ...patient, input: { ms: 50 }, spent })),
      )
      t.same(new Set(await Promise.all(calls)), new Set(['answered']))
      t.equal(billed.length, 60)
      // One isolate does one thing at a time: who paid for those beside him would make it more than has passed.
      const sum = billed.reduce((all, one) => all + one, 0)
      const passed = performance.now() - from
      t.ok(sum < 1.5 * passed, `nobody pays for a neighbour: ${sum} ms billed, ${passed} ms passed`)
      t.equal(host.stats().hosts[0]?.pid, pid, 'in the same host')
    }
  })

  await t.test('a calm tenant is answered while another has 200 requests outstanding', async (t) => {
    const { host, call } = await open(t)
    await call('well', { tenant: 'calm' })
    const storm = Array.from({ length: 200 }, () =>
      outcome(call('spin', { tenant: 'storm', input: { ms: 200 }, limits: { cpuMs: 5_000, wallMs: 4_000 } })),
    )
    let over = 0
    for (const one of storm) void one.then(() => (over += 1))
    await eventually(() => over >= 96, 5_000)
    t.equal(over, 96, '4 are inside and 100 wait; the others are refused at once')
    for (let n = 0; n < 5; n += 1) t.equal(await call('well', { tenant: 'calm' }), 'well')
    t.ok(host.stats().waiting > 50, 'the storm is not over')
    const outcomes = await Promise.all(storm)
    t.ok(outcomes.includes('answered'))
    // Who has waited too long is refused, and who had little time left when his turn came did not finish in it.
    const refusals = new Set(['answered', 'MODULE_UNAVAILABLE', 'PLUGIN_DEADLINE_EXCEEDED'])
    t.same(
      outcomes.filter((one) => !refusals.has(one)),
      [],
    )
    t.same([host.stats().waiting, host.stats().inside], [0, 0])
  })

  await t.test('twenty of a tenant at once are four inside, and all of them without the queue', async (t) => {
    for (const [off, inside] of [
      [[], 4],
      [['fairQueue'], 20],
    ] as const) {
      const { call } = await open(t, off)
      await call('well')
      const held: (() => void)[] = []
      let most = 0
      const answer = () =>
        new Promise<unknown>((resolve) => {
          held.push(() => resolve({ id: 'a' }))
          most = Math.max(most, held.length)
        })
      const storm = Array.from({ length: 20 }, () => outcome(call('ask', { ...patient, answer })))
      t.ok(await eventually(() => held.length === inside))
      await new Promise((resolve) => setTimeout(resolve, 200))
      t.equal(most, inside)
      const release = setInterval(() => {
        for (const go of held.splice(0)) go()
      }, 10)
      t.same(new Set(await Promise.all(storm)), new Set(['answered']))
      clearInterval(release)
    }
  })

  await t.test('without the turns the calm tenant stands behind the storm', async (t) => {
    // The wall is the bound for each tenant: as large as the plugin's, it is none.
    for (const perTenant of [8, 4]) {
      const { host, call } = await open(t, [], { perTenant, perPlugin: 8, waitingPerTenant: 200 })
      await call('well', { tenant: 'calm' })
      const hold = new Set<() => void>()
      const answer = () => new Promise<unknown>((resolve) => hold.add(() => resolve({ id: 'a' })))
      const storm = Array.from({ length: 20 }, () =>
        outcome(call('ask', { ...patient, tenant: 'storm', answer })),
      )
      await eventually(() => hold.size === perTenant)
      const calm = outcome(call('well', { tenant: 'calm' }))
      const first = await Promise.race([calm, new Promise((resolve) => setTimeout(resolve, 500, 'waits'))])
      t.equal(first, perTenant === 8 ? 'waits' : 'answered')
      const release = setInterval(() => {
        for (const go of hold) go()
        hold.clear()
      }, 10)
      t.same(new Set(await Promise.all(storm)), new Set(['answered']))
      await calm
      clearInterval(release)
      t.equal(host.stats().inside, 0)
    }
  })

  await t.test('what works for a request that is inside does not wait behind it', async (t) => {
    const { call } = await open(t)
    const answer = () => call('well', { isAdmitted: true })
    const calls = Array.from({ length: 12 }, () => call('ask', { ...patient, answer }))
    t.same(await Promise.all(calls), Array(12).fill('well'))
  })

  await t.test('a request may take its place before it takes anything else', async (t) => {
    const { host, call } = await open(t, [], { perTenant: 1 })
    const leave = await host.admit('notes', 'a', 1_000)
    await t.rejects(host.admit('notes', 'a', 20), { code: 'MODULE_UNAVAILABLE', data: { retryAfter: 1 } })
    t.equal(await call('well', { isAdmitted: true }), 'well')
    leave()
    leave()
    t.equal(await call('well'), 'well')
  })
})
