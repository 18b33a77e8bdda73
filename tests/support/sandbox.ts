// A plugin in a real host process without a kernel around it: for tests of the walls.
import { readdirSync, readFileSync } from 'node:fs'
import type { Handler } from '../../kernel/src/protocol/envelope.ts'
import type { HostInvocation, PluginHost } from '../../kernel/src/sandbox/plugin-host.ts'

/** A bundle of the module `notes` with a route for each function of the object literal in `runs`. */
export const bundleOf = (runs: string): string => `
const runs = ${runs}
const routes = {}
for (const [name, run] of Object.entries(runs)) {
  routes[name] = { title: name, method: 'POST', path: '/' + name.toLowerCase(), run }
}
globalThis.__plinthPlugin = {
  name: 'notes',
  spec: { name: 'notes', title: 'Notes', routes, entities: { note: { title: 'Note', fields: {}, indexes: [], immutableIn: [] } } },
}
`

/** Uses `ms` of CPU. The clock counts on the wall: on a busy machine it is less. */
export const spin =
  'const spin = (ms) => { const end = Date.now() + ms; while (Date.now() < end); return "spun" }\n'

export interface Call {
  readonly tenant?: string
  readonly input?: unknown
  readonly limits?: { readonly cpuMs: number; readonly wallMs: number }
  readonly isAdmitted?: boolean
  readonly answer?: (name: string, input: unknown) => Promise<unknown>
  readonly spent?: (cpuMs: number) => void
}

const defaultLimits = { cpuMs: 1_000, wallMs: 3_000 }

export function invocationOf(name: string, call: Call = {}): HostInvocation {
  const { tenant = 'a', input = {}, answer, limits = defaultLimits, isAdmitted = false, spent } = call
  const handler: Handler = { kind: 'route', route: name }
  return {
    module: 'notes',
    tenant,
    requestId: `request-${name}`,
    handler,
    inputJson: JSON.stringify(input),
    context: {
      tenant: { id: tenant, currency: 'INR', locale: 'en', timeZone: 'UTC' },
      user: { id: 'u', permissions: '*' },
      today: '2026-01-01',
      settings: {},
      uses: [],
    },
    limits,
    isAdmitted,
    spent: spent ?? (() => undefined),
    answer: answer ?? (async () => ({ id: 'a' })),
  }
}

/** Calls a route of the plugin and gives its answer. */
export const caller =
  (host: Pick<PluginHost, 'invoke'>) =>
  async (name: string, call: Call = {}): Promise<unknown> =>
    JSON.parse(await host.invoke(invocationOf(name, call)))

const childrenNow = (): number[] =>
  readdirSync('/proc/self/task').flatMap((task) =>
    readFileSync(`/proc/self/task/${task}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number),
  )

/** Hosts of this process: its children that run under Node's permission model. */
export const hostsNow = (): number[] =>
  childrenNow().filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('--permission')
    } catch {
      return false
    }
  })

/** Looks until it is so. The bound is for a failing test; on a machine that is busy it may take a while. */
export const eventually = async (isSo: () => boolean, withinMs = 15_000): Promise<boolean> => {
  const end = Date.now() + withinMs
  while (!isSo()) {
    if (Date.now() > end) return false
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return true
}
