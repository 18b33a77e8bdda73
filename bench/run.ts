// Measures kernels against the control in one run on one embedded PostgreSQL, in turns, and prints ratios: one kernel
// has the plugin in the sandbox, one in its own process. `npm run bench`; under four minutes. `npm run bench -- get list`
// runs the cases with one of these in their names, `--rounds 3 --seconds 1` for so long, and `--profile <folder>` leaves a CPU
// profile of the kernel in the sandbox's there. The load comes from here, on the same machine: compare, do not quote.
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createSigner } from 'fast-jwt'
import pg from 'pg'
import { createClient } from '../examples/load-journal/client.ts'
import { startTestCluster } from '../tests/support/cluster.ts'
import { type Load, type Measurement, measure } from './measure.ts'
import { family, highRates, makeRoot, pluginPackage, type Server, start } from './servers.ts'

const { values: given, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    profile: { type: 'string' },
  },
})
const rounds = Number(given.rounds)
const seconds = Number(given.seconds)
const callers = 16
const items = 1_000

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

const medianOf = (all: readonly Measurement[]): Measurement => ({
  perSecond: median(all.map((m) => m.perSecond)),
  p50: median(all.map((m) => m.p50)),
  p99: median(all.map((m) => m.p99)),
  cpuMicros: median(all.map((m) => m.cpuMicros)),
})

const newItem = () =>
  JSON.stringify({
    code: randomUUID(),
    name: 'An item',
    price: { amount: '12.50', currency: 'USD' },
    quantity: 3,
  })

interface Side extends Server {
  readonly name: string
  readonly headers: Readonly<Record<string, string>>
  /** Of the records' API. */
  readonly prefix: string
}

interface Request {
  readonly path: () => string
  readonly body?: () => string
}

interface Case {
  readonly name: string
  /** Of the control's requests in a second, by side. */
  readonly aims: Readonly<Record<string, number>>
  readonly request: Request
}

async function startKernel(
  folder: string,
  root: string,
  adminUrl: string,
  trusted: string,
  nodeOptions: readonly string[] = [],
): Promise<Server> {
  const env = {
    DATABASE_URL: adminUrl,
    DATA_DIR: join(folder, 'data'),
    PORT: '0',
    PLINTH_PLUGINS_ROOT: root,
    PLINTH_TRUSTED_PLUGINS: trusted,
    LOG_LEVEL: 'error',
    ...highRates,
  }
  return start('kernel/src/main.ts', [], env, /Plinth is ready at (\S+)/, nodeOptions)
}

async function main(folder: string, adminUrl: string, started: Server[]): Promise<void> {
  const root = await makeRoot(folder)
  const profiled = given.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${given.profile}`]
  const sandbox = await startKernel(folder, root, adminUrl, '', profiled)
  started.push(sandbox)
  const inProcess = await startKernel(folder, root, adminUrl, pluginPackage)
  started.push(inProcess)

  const headers: Record<string, string> = {}
  const call = createClient(sandbox.url, headers)
  const person = { name: 'Bench', email: 'bench@example.com', password: randomUUID() }
  const { token } = await call<{ token: string }>('POST', '/v1/auth/sign-up/email', person)
  headers['authorization'] = `Bearer ${token}`
  const company = { name: 'Bench', slug: 'bench', currency: 'USD' }
  const tenant = await call<{ id: string }>('POST', '/v1/tenants', company)
  headers['x-tenant-id'] = 'bench'
  await call('POST', '/v1/tenant/modules', { module: 'items' })
  const ids: string[] = []
  for (let n = 0; n < items; n += 1) {
    ids.push((await call<{ id: string }>('POST', '/v1/items/items', JSON.parse(newItem()))).id)
  }
  const admin = new pg.Client(adminUrl)
  await admin.connect()
  await admin.query('ANALYZE')
  await admin.end()

  const secret = randomUUID()
  const url = new URL(adminUrl)
  const connection = {
    host: url.hostname,
    port: Number(url.port),
    user: url.username,
    password: url.password,
    database: url.pathname.slice(1),
  }
  const args = [JSON.stringify(connection), tenant.id, secret]
  const control = await start('bench/control-server.ts', args, {}, /control at (\S+)/)
  started.push(control)
  const json = { 'content-type': 'application/json' }
  const signed = { authorization: `Bearer ${createSigner({ key: secret })({ sub: 'bench' })}` }
  const controlSide: Side = { ...control, name: 'control', prefix: '', headers: { ...signed, ...json } }
  const ours = { prefix: '/v1/items', headers: { ...headers, ...json } }
  const sides: readonly Side[] = [
    { ...sandbox, ...ours, name: 'sandbox' },
    { ...inProcess, ...ours, name: 'in process' },
  ]

  let turn = 0
  const nextId = () => {
    turn += 1
    return ids[turn % ids.length] ?? ''
  }
  const handler = (queries: number, aims: Case['aims']): Case => ({
    name: `(d${queries}) handler, queries: ${queries}`,
    aims,
    request: { path: () => `/work?id=${nextId()}&queries=${queries}` },
  })
  const cases: readonly Case[] = [
    { name: '(a) GET one record', aims: { sandbox: 0.7 }, request: { path: () => `/items/${nextId()}` } },
    { name: '(b) list of 20', aims: { sandbox: 0.7 }, request: { path: () => '/items?limit=20' } },
    { name: '(c) create', aims: { sandbox: 0.5 }, request: { path: () => '/items', body: newItem } },
    handler(0, { sandbox: 0, 'in process': 0 }),
    handler(1, { sandbox: 0.5, 'in process': 0.8 }),
    handler(5, { sandbox: 0, 'in process': 0 }),
    handler(20, { sandbox: 0, 'in process': 0 }),
  ]
  const parts = wanted.map((part) => part.toLowerCase())
  for (const one of cases) {
    if (parts.length > 0 && !parts.some((part) => one.name.toLowerCase().includes(part))) continue
    await compare(one, [controlSide, ...sides.filter((side) => side.name in one.aims)])
  }
}

const loadOf = (side: Side, { path, body }: Request): Load => ({
  url: side.url,
  headers: side.headers,
  path: () => side.prefix + path(),
  callers,
  seconds,
  ...(body ? { method: 'POST' as const, body } : {}),
})

async function compare({ name, aims, request }: Case, sides: readonly Side[]): Promise<void> {
  const runs = await Promise.all(
    sides.map(async (side) => ({
      side,
      load: loadOf(side, request),
      pids: await family(side.child),
      found: [] as Measurement[],
    })),
  )
  for (const { load, pids } of runs) await measure({ ...load, seconds: 1 }, pids)
  for (let round = 0; round < rounds; round += 1) {
    for (const { load, pids, found } of runs) found.push(await measure(load, pids))
  }
  const rows = runs.map(({ side, found }) => ({ name: side.name, ...medianOf(found) }))
  const [control] = rows
  console.log(name)
  for (const row of rows) {
    const share = row.perSecond / (control?.perSecond ?? 1)
    const cpu = row.cpuMicros / (control?.cpuMicros ?? 1)
    const aim = aims[row.name] ? `, aim ${aims[row.name]}` : ''
    console.log(
      `  ${row.name.padEnd(10)} ${row.perSecond.toFixed(0).padStart(6)}/s  p50 ${row.p50.toFixed(2).padStart(6)} ms  p99 ${row.p99.toFixed(2).padStart(6)} ms  CPU ${row.cpuMicros.toFixed(0).padStart(5)} µs/request  ${share.toFixed(2)} of the control${aim}, CPU ${cpu.toFixed(2)} times`,
    )
  }
}

const folder = await mkdtemp(join(tmpdir(), 'plinth-bench-'))
const started: Server[] = []
const cluster = await startTestCluster()
try {
  console.log(`Medians of ${rounds} rounds of ${seconds} s, ${callers} callers, ${items} records.\n`)
  await main(folder, cluster.adminUrl, started)
} finally {
  for (const { child } of started) child.kill('SIGTERM')
  await Promise.all(started.map(({ child }) => new Promise((resolve) => child.once('exit', resolve))))
  await cluster.stop()
  await rm(folder, { recursive: true, force: true })
}
