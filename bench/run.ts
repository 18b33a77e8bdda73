// Measures the kernel against the control in one run on one embedded PostgreSQL, in turns, and prints ratios.
// `npm run bench`; about two minutes. The load comes from this process, on the same machine: compare, do not quote.
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSigner } from 'fast-jwt'
import pg from 'pg'
import { createClient } from '../examples/load-journal/client.ts'
import { startTestCluster } from '../tests/support/cluster.ts'
import { type Load, type Measurement, measure } from './measure.ts'

const rounds = 5
const seconds = 3
const callers = 16
const items = 1_000
const repository = join(import.meta.dirname, '..')

/** An installation whose one plugin is the measured one. */
async function makeRoot(folder: string): Promise<string> {
  await mkdir(join(folder, 'node_modules/@plinth-bench'), { recursive: true })
  await symlink(join(import.meta.dirname, 'items-plugin'), join(folder, 'node_modules/@plinth-bench/items'))
  await writeFile(
    join(folder, 'package.json'),
    JSON.stringify({ dependencies: { '@plinth-bench/items': '*' } }),
  )
  return folder
}

async function start(script: string, args: string[], env: Record<string, string>, ready: RegExp) {
  const child = spawn(process.execPath, [join(repository, script), ...args], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const url = await new Promise<string>((resolve, reject) => {
    let printed = ''
    child.stdout.on('data', (chunk: Buffer) => {
      printed += chunk.toString()
      const found = ready.exec(printed)?.[1]
      if (found) resolve(found)
    })
    child.once('exit', () => reject(new Error(`${script} ended: ${printed}`)))
  })
  return { child, url }
}

/** The process and everything below it: the kernel's hosts count as the kernel's. */
async function family(child: ChildProcess): Promise<number[]> {
  const parents = new Map<number, number>()
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const stat = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '')
    parents.set(Number(entry), Number(stat.split(') ')[1]?.split(' ')[1] ?? 0))
  }
  const isBelow = (pid: number): boolean =>
    pid === child.pid || (parents.has(pid) && isBelow(parents.get(pid) ?? 0))
  return [...parents.keys()].filter((pid) => pid > 1 && isBelow(pid))
}

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

async function main(folder: string, adminUrl: string, children: ChildProcess[]): Promise<void> {
  const kernel = await start(
    'kernel/src/main.ts',
    [],
    {
      DATABASE_URL: adminUrl,
      DATA_DIR: join(folder, 'data'),
      PORT: '0',
      PLINTH_PLUGINS_ROOT: await makeRoot(folder),
      LOG_LEVEL: 'warn',
    },
    /Plinth is ready at (\S+)/,
  )
  children.push(kernel.child)
  const headers: Record<string, string> = {}
  const call = createClient(kernel.url, headers)
  const { token } = await call<{ token: string }>('POST', '/v1/auth/sign-up/email', {
    name: 'Bench',
    email: 'bench@example.com',
    password: randomUUID(),
  })
  headers['authorization'] = `Bearer ${token}`
  const tenant = await call<{ id: string }>('POST', '/v1/tenants', {
    name: 'Bench',
    slug: 'bench',
    currency: 'USD',
  })
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
  const control = await start(
    'bench/control-server.ts',
    [JSON.stringify(connection), tenant.id, secret],
    {},
    /control at (\S+)/,
  )
  children.push(control.child)
  const jwt = createSigner({ key: secret })({ sub: 'bench' })
  const controlHeaders = { authorization: `Bearer ${jwt}`, 'content-type': 'application/json' }
  const ourHeaders = { ...headers, 'content-type': 'application/json' }

  let turn = 0
  const nextId = () => {
    turn += 1
    return ids[turn % ids.length] ?? ''
  }
  const load = (ours: boolean, path: () => string, body?: () => string): Load => ({
    url: ours ? kernel.url : control.url,
    headers: ours ? ourHeaders : controlHeaders,
    path,
    callers,
    seconds,
    ...(body ? { method: 'POST' as const, body } : {}),
  })
  const controlGet = load(false, () => `/items/${nextId()}`)
  const cases: readonly { name: string; aim: number; ours: Load; control: Load }[] = [
    {
      name: '(a) GET one record',
      aim: 0.7,
      ours: load(true, () => `/v1/items/items/${nextId()}`),
      control: controlGet,
    },
    {
      name: '(b) list of 20',
      aim: 0.7,
      ours: load(true, () => '/v1/items/items?limit=20'),
      control: load(false, () => '/items'),
    },
    {
      name: '(c) create',
      aim: 0.5,
      ours: load(true, () => '/v1/items/items', newItem),
      control: load(false, () => '/items', newItem),
    },
    {
      name: '(d) plugin route, one query',
      aim: 0.4,
      ours: load(true, () => `/v1/items/lookup?id=${nextId()}`),
      control: controlGet,
    },
  ]
  for (const { name, aim, ours, control: theirs } of cases) {
    const ourPids = await family(kernel.child)
    const theirPids = await family(control.child)
    const found: { ours: Measurement[]; control: Measurement[] } = { ours: [], control: [] }
    await measure({ ...ours, seconds: 2 }, ourPids)
    await measure({ ...theirs, seconds: 2 }, theirPids)
    for (let round = 0; round < rounds; round += 1) {
      found.control.push(await measure(theirs, theirPids))
      found.ours.push(await measure(ours, ourPids))
    }
    report(name, aim, medianOf(found.ours), medianOf(found.control))
  }
}

function report(name: string, aim: number, ours: Measurement, control: Measurement): void {
  const row = (label: string, m: Measurement) =>
    `  ${label.padEnd(8)} ${m.perSecond.toFixed(0).padStart(6)}/s  p50 ${m.p50.toFixed(2).padStart(6)} ms  p99 ${m.p99.toFixed(2).padStart(6)} ms  CPU ${m.cpuMicros.toFixed(0).padStart(5)} µs/request`
  const ratio = ours.perSecond / control.perSecond
  console.log(
    `${name}: ${ratio.toFixed(2)} of the control (aim ${aim}), CPU ${(ours.cpuMicros / control.cpuMicros).toFixed(2)} times\n${row('control', control)}\n${row('Plinth', ours)}`,
  )
}

const folder = await mkdtemp(join(tmpdir(), 'plinth-bench-'))
const children: ChildProcess[] = []
const cluster = await startTestCluster()
try {
  console.log(`Medians of ${rounds} rounds of ${seconds} s, ${callers} callers, ${items} records.\n`)
  await main(folder, cluster.adminUrl, children)
} finally {
  for (const child of children) child.kill('SIGTERM')
  await Promise.all(children.map((child) => new Promise((resolve) => child.once('exit', resolve))))
  await cluster.stop()
  await rm(folder, { recursive: true, force: true })
}
