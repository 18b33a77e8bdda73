// The walls around an isolate, each attacked twice: as it stands, and taken down, when the same attack succeeds. That shows
// that the attacks are attacks, and that no other wall hides that this one is missing.
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import type { Defence } from '../../kernel/src/defences.ts'
import { defaultLimits } from '../../kernel/src/sandbox/limits.ts'
import { createHostStarter } from '../../kernel/src/sandbox/supervisor.ts'
import { recordingLog } from '../support/recording-log.ts'
import { bundleOf, caller, eventually, hostsNow } from '../support/sandbox.ts'

const source =
  'let kept\n' +
  bundleOf(`{
  well: () => 'well',
  work: () => { let sum = 0; for (let n = 0; n < 5e8; n++) sum += n % 7; return 'worked' },
  endless: () => Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1),
  fill: async (ctx) => { kept = Array.from({ length: 40 }, () => Array(131072).fill(1.5)); return ctx.entities.note.get('a') },
}`)

const cpuMsOf = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10
}

t.test('a wall that is down', { skip: process.platform !== 'linux' && 'reads /proc' }, async (t) => {
  const { log } = recordingLog()
  const open = async (t: Test, off: readonly Defence[], host: Partial<typeof defaultLimits.host> = {}) => {
    const startHost = await createHostStarter(log, new Set(off))
    const limits = { ...defaultLimits, host: { ...defaultLimits.host, ...host } }
    const opened = await startHost({ name: '@test/notes', bundle: source, log, limits })
    t.teardown(async () => {
      for (const pid of hostsNow()) process.kill(pid, 'SIGKILL')
      await opened.close()
    })
    return { host: opened, call: caller(opened) }
  }
  const patient = { cpuMs: 60_000, wallMs: 60_000 }

  await t.test('entryTimeout: an entry uses seconds of CPU without a pause', async (t) => {
    const { call } = await open(t, [])
    await t.rejects(call('work', { limits: patient }), { code: 'LIMIT_EXCEEDED', data: { limit: 'cpu' } })
    // With the watchdog it would still be late.
    const { call: callWithout } = await open(t, ['entryTimeout', 'watchdog'])
    t.equal(await callWithout('work', { limits: patient }), 'worked')
  })

  await t.test('watchdog: what cannot be interrupted burns a core for ever', async (t) => {
    const { call, host } = await open(t, [])
    await t.rejects(call('endless'), { code: 'LIMIT_EXCEEDED', data: { limit: 'cpu' } })
    t.ok(await eventually(() => hostsNow().length === 0), 'its host is gone')
    t.match(host.stats().deaths, { 'could not stop an invocation': 1 })

    const { call: callWithout } = await open(t, ['watchdog'])
    await t.rejects(callWithout('endless', { limits: { cpuMs: 1_000, wallMs: 4_000 } }), {
      code: 'PLUGIN_DEADLINE_EXCEEDED',
    })
    const [pid = 0] = hostsNow()
    const before = cpuMsOf(pid)
    t.ok(await eventually(() => cpuMsOf(pid) - before > 300), 'and burns on after its caller has gone')
  })

  await t.test('residentMemory: a host takes more memory than it may', async (t) => {
    // Six tenants with 40 MB each, all inside at once: no isolate is over its limit.
    const fill = async (t: Test, off: readonly Defence[]) => {
      const { host, call } = await open(t, off, { rssMb: 150, rssPollMs: 10 })
      let inside = 0
      const release: (() => void)[] = []
      const answer = () =>
        new Promise<unknown>((resolve) => {
          inside += 1
          release.push(() => resolve({ id: 'a' }))
        })
      const codeOf = (error: { code: string }) => error.code
      const tenants = ['a', 'b', 'c', 'd', 'e', 'f']
      const calls = tenants.map((tenant) => call('fill', { tenant, answer, limits: patient }).catch(codeOf))
      await eventually(() => inside === tenants.length || Object.keys(host.stats().deaths).length > 0)
      await new Promise((resolve) => setTimeout(resolve, 100))
      const [pid = 0] = hostsNow()
      const rssMb = pid === 0 ? 0 : (host.stats().hosts[0]?.rssMb ?? 0)
      for (const go of release) go()
      return { rssMb, outcomes: await Promise.all(calls), deaths: host.stats().deaths }
    }
    const stands = await fill(t, [])
    t.match(stands.deaths, { memory: 1 })
    t.ok(stands.outcomes.includes('MODULE_UNAVAILABLE'))
    const down = await fill(t, ['residentMemory'])
    t.same(down.deaths, {})
    t.same(new Set(down.outcomes.map((one) => JSON.stringify(one))), new Set(['{"id":"a"}']))
    t.ok(down.rssMb > 200, `${down.rssMb} MB`)
  })
})
