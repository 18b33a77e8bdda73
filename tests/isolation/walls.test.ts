// Attacks on the two walls around a plugin, with real host processes: what each gives its caller by name, that the same
// tenant and another one are served afterwards, and that nothing of a host outlives it.
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { createHostStarter } from '../../kernel/src/sandbox/supervisor.ts'
import { recordingLog } from '../support/recording-log.ts'
import { bundleOf, caller, eventually, hostsNow } from '../support/sandbox.ts'
import { hostWays } from './failing-plugins.fixture.ts'

const source = `let seen = 0
const answer = () => 'well'
${bundleOf(`{
  well: answer,
  count: () => ++seen,
  loop: () => { for (;;) {} },
  loopAfterCall: async (ctx) => { await ctx.entities.note.get('a'); for (;;) {} },
  microtasks: async () => { for (;;) await 0 },
  heap: () => { const all = []; for (;;) all.push({ all }) },
  joined: () => { let all = [1]; for (;;) all = all.concat(all) },
  buffers: () => { const all = []; for (;;) all.push(new Uint8Array(1e7).fill(1)) },
  string: () => { throw 'just a string' },
  nothing: () => { throw undefined },
  getter: () => { throw { get message() { for (;;) {} } } },
  rejected: async () => { Promise.reject(new Error('nobody waits')); return 'fine' },
  rejectedGetter: async () => { Promise.reject({ get message() { for (;;) {} } }); return 'fine' },
  rejectedGetters: async () => { Promise.reject({ get message() { for (;;) {} }, get stack() { for (;;) {} } }); return 'fine' },
  bigint: () => String(7n ** (7n ** 9n)),
  never: () => new Promise(() => {}),
  huge: () => 'x'.repeat(2e6),
  argument: async (ctx) => { try { await ctx.entities.note.create({ text: 'x'.repeat(3e5) }) } catch { return 'caught' } },
  calls: async (ctx) => { for (;;) try { await ctx.entities.note.get('a') } catch { return 'caught' } },
  flood: async (ctx) => { try { await Promise.all(Array.from({ length: 60 }, () => ctx.entities.note.get('a'))) } catch { return 'caught' } },
  unawaited: async (ctx) => { ctx.entities.note.get('a'); return 'fine' },
  log: (ctx) => { for (let i = 0; i < 1e5; i++) ctx.log.info('line ' + i); return 'fine' },
  late: async (ctx) => { globalThis.kept = ctx; return 'kept' },
  useLate: () => kept.entities.note.get('a').then(() => 'answered', (error) => error.message),
  call: async (ctx) => ctx.entities.note.get('a'),
  caught: async (ctx) => ctx.entities.note.get('missing').catch((error) => [error.code, error.data.id]),
  uncaught: async (ctx) => ctx.entities.note.get('missing'),
  tooMuch: async (ctx) => ctx.entities.note.get('too much').catch(() => 'caught'),
  refuse: () => { throw Object.assign(new Error('x'), { name: 'PluginError', code: 'NO_WAY', data: { field: 'a' } }) },
  globals: () => ['process', 'require', 'module', 'fetch', 'Buffer', 'WebAssembly', 'SharedArrayBuffer', 'Atomics',
    'FinalizationRegistry', 'WeakRef', 'Intl', '__plinthPlugin', 'guest'].filter((name) => name in globalThis),
  escape: () => {
    const found = []
    const look = (what, code) => { try { found.push([what, typeof Function(code)()]) } catch { found.push([what, 'undefined']) } }
    look('process', 'return process')
    look('parent', 'return this.constructor.constructor("return process")()')
    Error.prepareStackTrace = (_, sites) => sites
    found.push(['sites', typeof new Error('x').stack])
    return found
  },
  constants: () => [typeof structuredClone({ at: new Date(0) }).at.getTime(), typeof console.log, typeof queueMicrotask],
}`)}`

t.test('the walls around a plugin', { skip: process.platform !== 'linux' && 'reads /proc' }, async (t) => {
  const { log, lines } = recordingLog()
  const startHost = await createHostStarter(log)

  const open = async (t: Test, bundle = source) => {
    const host = await startHost({ name: '@test/notes', bundle, log })
    t.teardown(() => host.close())
    return { host, call: caller(host) }
  }

  await t.test('a named error for each way to fail, and the next calls are served', async (t) => {
    const { call } = await open(t)
    for (const [way, expected] of hostWays) {
      await t.rejects(call(way), expected, way)
      t.equal(await call('well', { tenant: 'b' }), 'well', `after '${way}' another tenant is served`)
      t.equal(await call('well'), 'well', `and so is this one`)
    }
  })

  await t.test(
    'the message and the stack of what a plugin threw are in the log and not in the error',
    async (t) => {
      const { call } = await open(t)
      const error = await call('string').catch((error: unknown) => error)
      t.notMatch(JSON.stringify(error), /just a string/)
    },
  )

  await t.test('too much heap, and too much outside it, end as a limit', async (t) => {
    const { call } = await open(t)
    const generous = { limits: { cpuMs: 5_000, wallMs: 5_000 } }
    await t.rejects(call('heap', generous), { code: 'LIMIT_EXCEEDED' })
    t.equal(await call('well', { tenant: 'b' }), 'well')
    await t.rejects(call('joined', generous), { code: 'LIMIT_EXCEEDED' })
    t.equal(await call('well', { tenant: 'b' }), 'well')
    // V8 refuses the allocation with an error, or its limit or its time is reached first: each holds.
    await t.rejects(call('buffers', generous), { code: /PLUGIN_FAILED|LIMIT_EXCEEDED/ })
    t.equal(await call('well', { tenant: 'b' }), 'well')
  })

  await t.test('what not even disposing stops costs the host, and its successor serves', async (t) => {
    for (const way of ['bigint', 'rejectedGetters']) {
      const { call } = await open(t)
      await t.rejects(call(way), { code: 'LIMIT_EXCEEDED', data: { limit: 'cpu' } }, way)
      t.equal(await call('well', { tenant: 'b' }), 'well')
    }
  })

  await t.test('another tenant is answered while one spins', async (t) => {
    const { call } = await open(t)
    await call('well', { tenant: 'b' })
    const spinning = call('loop').catch((error: { code: string }) => error.code)
    t.equal(await Promise.race([call('well', { tenant: 'b' }), spinning]), 'well')
    t.equal(await spinning, 'LIMIT_EXCEEDED')
  })

  await t.test('a killed host gives 503 to who was inside, and the next call a new host', async (t) => {
    const { call } = await open(t)
    t.equal(await call('well'), 'well')
    const hanging = call('never')
    for (const pid of hostsNow()) process.kill(pid, 'SIGKILL')
    await t.rejects(hanging, { code: 'MODULE_UNAVAILABLE', status: 503 })
    t.equal(await call('well'), 'well')
  })

  await t.test('a host that keeps dying is left alone for a while', async (t) => {
    const { host, call } = await open(t)
    for (let death = 0; death < 3; death += 1) {
      await call('well')
      for (const pid of hostsNow()) process.kill(pid, 'SIGKILL')
      // Who calls before the kernel has noticed is inside when it does.
      t.ok(await eventually(() => host.stats().hosts.length === 0))
    }
    await t.rejects(call('well'), { code: 'MODULE_UNAVAILABLE' })
    t.same(hostsNow(), [], 'and no process is started for it')
  })

  await t.test('the globals of one tenant are not those of another', async (t) => {
    const { call } = await open(t)
    t.equal(await call('count'), 1)
    t.equal(await call('count'), 2)
    t.equal(await call('count', { tenant: 'b' }), 1)
  })

  await t.test('nothing of Node and nothing unbounded is in reach', async (t) => {
    const { call } = await open(t)
    t.same(await call('globals'), [])
    t.same(await call('escape'), [
      ['process', 'undefined'],
      ['parent', 'undefined'],
      ['sites', 'string'],
    ])
    t.same(await call('constants'), ['number', 'function', 'function'])
  })

  await t.test('who waits for an invocation that breaks their isolate learns why', async (t) => {
    const { call } = await open(t)
    await t.rejects(call('call', { answer: () => call('loop') }), { code: 'LIMIT_EXCEEDED' })
    t.equal(await call('well'), 'well')
  })

  await t.test('a ctx is of no use once its invocation is over', async (t) => {
    const { call } = await open(t)
    t.equal(await call('late'), 'kept')
    const asked: string[] = []
    const answer = async (name: string) => asked.push(name)
    t.match(await call('useLate', { answer }), /ended/)
    t.same(asked, [], 'and its calls reach nobody')
  })

  await t.test(
    'an error of the kernel can be caught, passes through, or ends everything if it is a limit',
    async (t) => {
      const { call } = await open(t)
      const answer = async (_: string, input: unknown): Promise<unknown> => {
        const { id } = input as { id: string }
        const code = id === 'missing' ? 'RECORD_NOT_FOUND' : 'LIMIT_EXCEEDED'
        throw Object.assign(new Error(code), {
          name: 'PlinthError',
          status: 404,
          code,
          data: { id },
          marked: true,
        })
      }
      t.same(await call('caught', { answer }), ['RECORD_NOT_FOUND', 'missing'])
      await t.rejects(
        call('uncaught', { answer }),
        { code: 'RECORD_NOT_FOUND', marked: true },
        'it is the very same',
      )
      await t.rejects(call('tooMuch', { answer }), { code: 'LIMIT_EXCEEDED', marked: true })
    },
  )

  await t.test('a flood of log lines is cut, and said to be', async (t) => {
    const { call } = await open(t)
    const before = lines.length
    t.equal(await call('log'), 'fine')
    const written = lines.slice(before).filter((line) => /^line |dropped/.test(String(line['msg'])))
    t.equal(written.length, 100)
    t.match(written.at(-1), { msg: /dropped/ })
  })

  await t.test('a bundle that loops or throws while it loads is a refusal, not a hang', async (t) => {
    for (const bundle of ['for (;;) {}', 'throw new Error("no")', '1']) {
      const { host, call } = await open(t, bundle)
      await t.rejects(host.describe(), `describe of ${bundle}`)
      const limits = { cpuMs: 5_000, wallMs: 20_000 }
      await t.rejects(
        call('well', { limits }),
        { code: /LIMIT_EXCEEDED|PLUGIN_FAILED/ },
        `invoke of ${bundle}`,
      )
    }
  })

  await t.test('the process has no environment, no privileges, and ends with its host', async (t) => {
    const { host, call } = await open(t)
    await call('well')
    const [pid = 0] = hostsNow()
    t.equal(readFileSync(`/proc/${pid}/environ`, 'utf8'), '')
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    if (!lines.some((line) => JSON.stringify(line).includes('without these walls'))) {
      t.match(status, /NoNewPrivs:\t1/)
      if (process.getuid?.() === 0) t.notMatch(status, /Uid:\t0/, 'a user of its own')
      t.match(status, /CapEff:\t0+\n/)
      t.match(status, /CapBnd:\t0+\n/)
      const interfaces = readFileSync(`/proc/${pid}/net/dev`, 'utf8').trim().split('\n').slice(2)
      t.equal(interfaces.length, 1, 'there is only a loopback')
      t.match(readFileSync(`/proc/${pid}/limits`, 'utf8'), /Max file size +0 +0/)
    }
    await host.close()
    t.same(hostsNow(), [])
    await t.rejects(call('well'), { code: 'MODULE_UNAVAILABLE' }, 'a closed host stays closed')
  })

  await t.test('closing waits for who is inside', async (t) => {
    const { host, call } = await open(t)
    let asked = () => {}
    const inside = new Promise<void>((resolve) => {
      asked = resolve
    })
    const answer = async () => {
      asked()
      await new Promise((resolve) => setTimeout(resolve, 300))
      return { id: 'late' }
    }
    const slow = call('call', { answer })
    await inside
    await host.close()
    t.same(await slow, { id: 'late' })
    t.same(hostsNow(), [])
  })
})
