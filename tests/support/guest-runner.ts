// A plugin host whose one handler runs the code it is sent, in the isolate of a tenant: for looking at what is in there.
import type { Test } from 'tap'
import type { DefencesOff } from '../../kernel/src/defences.ts'
import { createHostStarter } from '../../kernel/src/sandbox/supervisor.ts'
import { recordingLog } from './recording-log.ts'

const evaluating = `
globalThis.__plinthPlugin = { name: 'notes', spec: { name: 'notes', title: 'Notes', hooks: {}, entities: {
  note: { title: 'Note', fields: {}, indexes: [], immutableIn: [] } },
  routes: { run: { title: 'Run', method: 'POST', path: '/run',
    run: (ctx, { code, given }) => (0, eval)('(async (ctx, given) => {' + code + '})')(ctx, given) } } } }
`

export interface RunOptions {
  readonly tenant?: string
  readonly given?: unknown
  readonly cpuMs?: number
  readonly wallMs?: number
  readonly answer?: (name: string, input: unknown) => Promise<unknown>
}

export interface GuestRunner {
  /** What the body of an async function of `ctx` and `given` returns. */
  run(code: string, options?: RunOptions): Promise<unknown>
  readonly lines: readonly Record<string, unknown>[]
}

export async function guestRunner(t: Test, off?: DefencesOff): Promise<GuestRunner> {
  const { log, lines } = recordingLog()
  const startHost = await createHostStarter(log, off)
  const host = await startHost({ name: '@test/notes', bundle: evaluating, log })
  t.teardown(() => host.close())
  return {
    lines,
    async run(
      code,
      { tenant = 'a', given = null, cpuMs = 1_000, wallMs = 3_000, answer = async () => ({ id: 'a' }) } = {},
    ) {
      const text = await host.invoke({
        module: 'notes',
        tenant,
        requestId: 'request',
        handler: { kind: 'route', route: 'run' },
        inputJson: JSON.stringify({ code, given }),
        context: {
          tenant: { id: tenant, currency: 'INR', locale: 'en', timeZone: 'UTC' },
          user: { id: 'u', permissions: '*' },
          today: '2026-01-01',
          settings: {},
          uses: [],
        },
        limits: { cpuMs, wallMs },
        spent: () => undefined,
        answer,
      })
      const value: unknown = JSON.parse(text)
      return value
    },
  }
}
