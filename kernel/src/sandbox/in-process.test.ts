// Trust by name: who runs in process, who is warned about, and what a rejection in a realm does to the process.
import t from 'tap'
import { recordingLog } from '../../../tests/support/recording-log.ts'
import { loadConfig } from '../config.ts'
import { errors } from '../errors.ts'
import { trustByName } from './in-process.ts'
import type { HostInvocation, PluginHost } from './plugin-host.ts'

const sandboxed: PluginHost = {
  describe: async () => 'described in the sandbox',
  invoke: async () => '"from the sandbox"',
  close: async () => undefined,
}

const bundle = (routes: string) =>
  `globalThis.__plinthPlugin = { name: 'xx', spec: { name: 'xx', title: 'X', routes: { ${routes} } } }`

const call = (route: string, over: Partial<HostInvocation> = {}): HostInvocation => ({
  module: 'x',
  tenant: 'a tenant',
  requestId: 'a request',
  handler: { kind: 'route', route },
  inputJson: '{}',
  context: {
    tenant: { id: 'a tenant', currency: 'USD', locale: 'en', timeZone: 'UTC' },
    user: { id: 'u', permissions: '*' },
    today: '2026-01-01',
    settings: {},
    uses: [],
  },
  limits: { cpuMs: 1_000, wallMs: 5_000 },
  spent: () => undefined,
  answer: async () => null,
  ...over,
})

t.test('a plugin that is trusted by name', async (t) => {
  const { log, lines } = recordingLog()
  const starter = await trustByName(async () => sandboxed, ['@acme/trusted'], log)
  t.teardown(() => starter.close())
  const start = (name: string, routes: string) => starter.startHost({ name, bundle: bundle(routes), log })

  await t.test('is named in a warning, and no other is trusted', async (t) => {
    t.match(lines, [{ level: 40, package: '@acme/trusted' }])
    t.equal(lines.length, 1)
    for (const name of ['@acme/trusted2', '@acme/trust', 'trusted', '@ACME/trusted']) {
      t.equal(await start(name, ''), sandboxed, name)
    }
  })

  await t.test('runs in process', async (t) => {
    const routes = `where: { method: 'GET', path: '/where', run: () => typeof process }`
    const host = await start('@acme/trusted', routes)
    t.match(await host.describe(), { name: 'xx' })
    t.equal(await host.invoke(call('where')), '"undefined"', 'and finds a global object of its own')
    t.ok('WebAssembly' in globalThis, 'what was taken from the realm is still the kernel’s')
    t.equal(typeof Intl, 'object')
    await host.close()
    await t.rejects(host.invoke(call('where')), { code: 'MODULE_UNAVAILABLE' })
  })

  await t.test('is told of a rejection nobody handled, and the process goes on', async (t) => {
    const host = await start(
      '@acme/trusted',
      `stray: { run: () => { void Promise.reject(new Error('mine')) } }, well: { run: () => 1 }`,
    )
    const failed = host.invoke(call('stray'))
    const well = host.invoke(call('well'))
    await t.rejects(failed, { code: 'PLUGIN_FAILED', cause: { message: 'mine' } })
    t.equal(await well, '1', 'an invocation beside it in the same realm is not its')
    await host.close()
  })

  await t.test('that fails at load is refused with what it said', async (t) => {
    for (const [text, said] of [
      [`throw new Error('at load')`, /at load/],
      ['for (;;) {}', /timed out/],
      ['const 1 = 2', /Invalid or unexpected token|Unexpected/],
      ['void Promise.reject(new Error("stray at load"))', /stray at load|no plugin/],
      ['1', /no plugin/],
    ] as const) {
      const host = await starter.startHost({ name: '@acme/trusted', bundle: text, log })
      await t.rejects(host.describe(), { message: said }, text)
      await host.close()
    }
  })

  await t.test('is counted: CPU, the time, and what is left when it is closed', async (t) => {
    const host = await start(
      '@acme/trusted',
      `burn: { run: () => { const end = Date.now() + 40; while (Date.now() < end); return 1 } }, never: { run: () => new Promise(() => {}) }`,
    )
    const spent: number[] = []
    await host.invoke(call('burn', { spent: (ms) => void spent.push(ms) }))
    t.ok((spent[0] ?? 0) > 0, 'what an invocation took is told')
    const limits = { cpuMs: 0.01, wallMs: 5_000 }
    await t.rejects(host.invoke(call('burn', { limits })), { code: 'LIMIT_EXCEEDED', data: { limit: 'cpu' } })
    const short = { cpuMs: 1_000, wallMs: 20 }
    await t.rejects(host.invoke(call('never', { limits: short })), { code: 'PLUGIN_DEADLINE_EXCEEDED' })
    await host.close()
  })

  await t.test('is given no more time by its timers, which end at the deadline', async (t) => {
    const host = await start(
      '@acme/trusted',
      `wait: { run: (ctx, { set }) => {
        if (!set) return globalThis.rounds
        globalThis.rounds = 0
        setInterval(() => { globalThis.rounds += 1 }, 2)
        return new Promise(() => {})
      } }`,
    )
    const short = { cpuMs: 1_000, wallMs: 50 }
    const waiting = host.invoke(call('wait', { limits: short, inputJson: '{"set":true}' }))
    await t.rejects(waiting, { code: 'PLUGIN_DEADLINE_EXCEEDED' })
    const rounds = await host.invoke(call('wait'))
    await new Promise((resolve) => setTimeout(resolve, 30))
    t.equal(await host.invoke(call('wait')), rounds)
    await host.close()
  })

  await t.test('has its bytes and its lines counted', async (t) => {
    const host = await start(
      '@acme/trusted',
      `ask: { run: async (ctx) => { for (let n = 0; n < 3; n += 1) ctx.log.info('line ' + n); await ctx.emit('x', { a: 1 }).catch(() => 0); return 'caught' } }`,
    )
    const spent: unknown[] = []
    const left = [true, true]
    const counted = {
      spend: (...given: unknown[]) => void spent.push(given),
      mayLog: () => left.pop() ?? false,
      answer: async () => 'é',
    }
    t.equal(await host.invoke(call('ask', counted)), '"caught"')
    const asked = Buffer.byteLength(JSON.stringify({ event: 'x', payload: { a: 1 } }))
    t.same(spent, [
      ['bytesIn', asked],
      ['bytesOut', 4],
    ])
    t.equal(lines.filter(({ msg }) => /^line \d$/.test(String(msg))).length, 2)
    const error = errors.limitExceeded({ module: 'x', limit: 'bytesIn', used: 2, cap: 1 })
    const spend = () => {
      throw error
    }
    await t.rejects(host.invoke(call('ask', { spend })), { code: 'LIMIT_EXCEEDED' }, 'not to be caught')
    await host.close()
  })
})

t.test('the setting names packages exactly', async (t) => {
  const read = (text: string) => loadConfig({ PLINTH_TRUSTED_PLUGINS: text }).trustedPlugins
  t.same(read(''), [])
  t.same(read(' @plinth/finance, @acme/x ,@plinth/finance'), ['@plinth/finance', '@acme/x'])
  for (const wrong of ['@plinth/*', '*', 'a b', '../x', 'A']) {
    t.throws(() => read(wrong), /PLINTH_TRUSTED_PLUGINS must be package names/, wrong)
  }
})
