// From an event that is committed to its effect: how long, how many in a second and for how much CPU, over both stores of
// the queue, against a bare BullMQ producer and worker with the same insert in the same run, in turns; what an emit costs
// the one who emits; and whether any of it grows with what lies in the tables. `node bench/events.ts`; under four minutes.
// `node bench/events.ts postgresql` for one store. Everything runs on this machine: compare, do not quote.
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { type Call, createClient } from '../examples/load-journal/client.ts'
import { startEmbeddedPostgres } from '../kernel/src/data/embedded-postgres.ts'
import { mortalRedis } from '../tests/support/mortal-stores.ts'
import { eventInstallation } from './event-plugins.ts'
import { percentile } from './measure.ts'
import { family, type Server, start } from './servers.ts'

const rounds = 3
const events = 1_000
/** Most that one request may emit. */
const eventsPerRequest = 50
/** Each with a caller of its own: a tenant's events are done four at a time, and the control has no tenants. */
const tenants = 4
const slow = { count: 60, pauseMs: 25 }
const rows = 1_000_000

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0

interface Figures {
  readonly perSecond: number
  readonly cpuMicros: number
  readonly databaseMicros: number
  readonly p50: number
  readonly p99: number
}

interface Side {
  readonly name: string
  readonly pid: number
  readonly many: () => Promise<void>
  readonly oneByOne: (from: number) => Promise<void>
  readonly database: pg.Client
  /** Of causes and of effects, with a `number` each. */
  readonly tables: readonly [string, string]
}

const teardowns: (() => Promise<unknown>)[] = []
const ending = { teardown: (work: () => Promise<unknown>) => void teardowns.unshift(work) }
const folder = await mkdtemp(join(tmpdir(), 'plinth-bench-'))
await chmod(folder, 0o711)
ending.teardown(() => rm(folder, { recursive: true, force: true }))

const log = { info: () => undefined, warn: (data: object, message: string) => console.error(message, data) }
const server = await startEmbeddedPostgres({
  dataDir: folder,
  reachableRoot: folder,
  log,
  settings: { fsync: 'off', full_page_writes: 'off', max_connections: '300', track_commit_timestamp: 'on' },
})
ending.teardown(() => server.stop())
const admin = new pg.Client({ connectionString: server.adminUrl })
await admin.connect()
ending.teardown(() => admin.end())

// BullMQ has one schema in a database, and the kernel's is its own.
await admin.query('create database bench_control')
const controlUrl = new URL(server.adminUrl)
controlUrl.pathname = '/bench_control'
const controlAdmin = new pg.Client({ connectionString: controlUrl.href })
await controlAdmin.connect()
ending.teardown(() => controlAdmin.end())

/** Linux counts in hundredths of a second. */
const tickMs = 10

/** CPU time of the process, of all that lives below it, and of what has ended there, in ms. */
async function cpuMs(pid: number): Promise<number> {
  let ticks = 0
  for (const one of await family({ pid } as Server['child'])) {
    const stat = await readFile(`/proc/${one}/stat`, 'utf8').catch(() => '')
    const [utime = 0, stime = 0, ended = 0, endedInKernel = 0] = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 15)
      .map(Number)
    ticks += utime + stime + ended + endedInKernel
  }
  return ticks * tickMs
}

let numbers = 0

async function measure(side: Side): Promise<Figures> {
  const [before, databaseBefore] = [await cpuMs(side.pid), await cpuMs(server.pid)]
  const began = performance.now()
  await side.many()
  const seconds = (performance.now() - began) / 1_000
  const spent = (await cpuMs(side.pid)) - before
  const databaseSpent = (await cpuMs(server.pid)) - databaseBefore
  const from = numbers + 1
  numbers += slow.count
  await side.oneByOne(from)
  const [cause, effect] = side.tables
  const { rows: took } = await side.database.query<{ ms: number }>(
    `select extract(epoch from pg_xact_commit_timestamp(e.xmin) - pg_xact_commit_timestamp(c.xmin))::float8 * 1000 as ms
       from ${cause} c join ${effect} e using (number) where c.number >= $1 order by 1`,
    [from],
  )
  const times = took.map(({ ms }) => ms)
  if (times.length !== slow.count) throw new Error(`${side.name}: ${times.length} effects of ${slow.count}`)
  return {
    perSecond: events / seconds,
    cpuMicros: (spent * 1_000) / events,
    databaseMicros: (databaseSpent * 1_000) / events,
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
  }
}

const middle = (all: readonly Figures[]): Figures => ({
  perSecond: median(all.map((one) => one.perSecond)),
  cpuMicros: median(all.map((one) => one.cpuMicros)),
  databaseMicros: median(all.map((one) => one.databaseMicros)),
  p50: median(all.map((one) => one.p50)),
  p99: median(all.map((one) => one.p99)),
})

function print(name: string, one: Figures, control?: Figures): void {
  const of = control
    ? `  ${(one.perSecond / control.perSecond).toFixed(2)} of the control, CPU ${(one.cpuMicros / control.cpuMicros).toFixed(2)} times`
    : ''
  console.log(
    `  ${name.padEnd(22)} ${one.perSecond.toFixed(0).padStart(5)}/s  p50 ${one.p50.toFixed(1).padStart(5)} ms  p99 ${one.p99.toFixed(1).padStart(6)} ms  CPU ${one.cpuMicros.toFixed(0).padStart(5)} µs/event, of the database ${one.databaseMicros.toFixed(0).padStart(5)}${of}`,
  )
}

async function untilIdle(): Promise<void> {
  for (;;) {
    const { rows: found } = await admin.query<{ left: boolean }>(
      `select exists (select from kernel.outbox where dispatched_at is null)
           or exists (select from kernel.task where state in ('waiting', 'running')) as left`,
    )
    if (!found[0]?.left) return
    await sleep(5)
  }
}

/** By tenant: what a request of its owner says of itself. */
const owners: Record<string, string>[] = []

/** A client for each tenant. The first time, people, tenants and their modules are made. */
async function clientsOf(url: string): Promise<Call[]> {
  for (let n = owners.length; n < tenants; n += 1) {
    const headers: Record<string, string> = {}
    const client = createClient(url, headers)
    const person = { name: 'Bench', email: `bench-${n}@example.com`, password: 'correct horse battery' }
    const { token } = await client<{ token: string }>('POST', '/v1/auth/sign-up/email', person)
    headers['authorization'] = `Bearer ${token}`
    await client('POST', '/v1/tenants', { name: 'Bench', slug: `bench-${n}`, currency: 'USD' })
    headers['x-tenant-id'] = `bench-${n}`
    for (const module of ['teller', 'listener']) await client('POST', '/v1/tenant/modules', { module })
    owners.push(headers)
  }
  return owners.map((headers) => createClient(url, headers))
}

const root = await eventInstallation(ending)
const connection = { connectionString: controlUrl.href }

async function startControl(redis: string): Promise<[Side, Server]> {
  const control = await start(
    'bench/queue-control.ts',
    [JSON.stringify(connection), redis],
    {},
    /control at (\S+)/,
  )
  const ask = (path: string) => fetch(new URL(path, control.url)).then((reply) => reply.text())
  const side: Side = {
    name: 'bare BullMQ',
    pid: control.child.pid ?? 0,
    many: async () => void (await ask(`/many?count=${events}`)),
    oneByOne: async (from) => void (await ask(`/one?from=${from}&count=${slow.count}&pause=${slow.pauseMs}`)),
    database: controlAdmin,
    tables: ['bench_cause', 'bench_effect'],
  }
  return [side, control]
}

async function startKernel(redis: string, trusted: string): Promise<[Side, Server, Call]> {
  const kernel = await start(
    'kernel/src/main.ts',
    [],
    {
      DATABASE_URL: server.adminUrl,
      DATA_DIR: join(folder, 'data'),
      PLINTH_SECRET: 'a secret that is used in benchmarks only',
      PORT: '0',
      PLINTH_PLUGINS_ROOT: root,
      PLINTH_TRUSTED_PLUGINS: trusted,
      LOG_LEVEL: 'error',
      // For a profile: KERNEL_OPTIONS='--cpu-prof --cpu-prof-dir=/tmp/profile'.
      NODE_OPTIONS: process.env['KERNEL_OPTIONS'] ?? '',
      ...(redis === '' ? {} : { REDIS_URL: redis }),
    },
    /Plinth is ready at (\S+)/,
  )
  const clients = await clientsOf(kernel.url)
  const [client] = clients
  if (!client) throw new Error('no tenants')
  const side: Side = {
    name: trusted === '' ? 'kernel, sandbox' : 'kernel, in process',
    pid: kernel.child.pid ?? 0,
    async many() {
      let left = events / eventsPerRequest
      const tell = async (call: Call) => {
        while (left-- > 0) await call('POST', '/v1/teller/tell', { count: eventsPerRequest })
      }
      await Promise.all(clients.map(tell))
      await untilIdle()
    },
    async oneByOne(from) {
      for (let number = from; number < from + slow.count; number += 1) {
        await client('POST', '/v1/teller/cause', { number })
        await sleep(slow.pauseMs)
      }
      await untilIdle()
    },
    database: admin,
    tables: ['plugin_teller.cause', 'plugin_listener.effect'],
  }
  return [side, kernel, client]
}

async function stop({ child }: Server): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await ended
}

async function compare(store: string, redis: string): Promise<void> {
  console.log(
    `turns in ${store}: ${events} events at once, and ${slow.count} one by one; medians of ${rounds} rounds`,
  )
  const [control, controlServer] = await startControl(redis)
  ending.teardown(() => stop(controlServer))
  const [kernel, kernelServer, client] = await startKernel(redis, '')
  ending.teardown(() => stop(kernelServer))
  const found = new Map<Side, Figures[]>([
    [control, []],
    [kernel, []],
  ])
  for (let round = -1; round < rounds; round += 1)
    for (const [side, figures] of found) {
      const one = await measure(side)
      if (round >= 0) figures.push(one)
    }
  const bare = middle(found.get(control) ?? [])
  print(control.name, bare)
  print(kernel.name, middle(found.get(kernel) ?? []), bare)
  if (store === 'PostgreSQL') {
    await emitCost(client)
    await grown(kernel, bare)
  }
  for (const one of [controlServer, kernelServer]) await stop(one)
}

/** What 20 events add to a request that writes a record anyway. */
async function emitCost(client: Call): Promise<void> {
  const [requests, each] = [60, 20]
  const costs: number[] = []
  for (let round = -1; round < rounds; round += 1) {
    const took: number[] = []
    for (const many of [0, each]) {
      const began = performance.now()
      for (let n = 0; n < requests; n += 1)
        await client('POST', '/v1/teller/write', { number: 0, events: many })
      took.push(performance.now() - began)
      // What they lead to is not to be in the way of the next.
      await untilIdle()
    }
    const [without = 0, having = 0] = took
    if (round >= 0) costs.push(((having - without) * 1_000) / requests / each)
  }
  console.log(
    `  an emit adds ${median(costs).toFixed(0)} µs to its request, one after the other, with what they lead to on the same cores`,
  )
}

async function grown(side: Side, bare: Figures): Promise<void> {
  const { rows: found } = await admin.query<{ id: string }>(
    `select id from kernel.tenant where slug = 'bench-0'`,
  )
  const tenant = found[0]?.id
  await admin.query(
    `insert into kernel.outbox (tenant_id, module, event, payload, actor, request_id, dispatched_at, position)
     select $1, 'teller', 'cause.told', '{"number": 0}', 'bench', 'bench', now(), nextval('kernel.outbox_position')
       from generate_series(1, ${rows})`,
    [tenant],
  )
  await admin.query(
    `insert into kernel.task (tenant_id, kind, queue, module, name, event_id, state, attempt, attempts_max, actor, request_id, ended_at)
     select tenant_id, 'event', 'events.listener', 'listener', 'teller.cause.told', id, 'done', 1, 12, 'bench', 'bench', now()
       from kernel.outbox where request_id = 'bench'`,
  )
  await admin.query('analyze kernel.outbox, kernel.task')
  const figures: Figures[] = []
  for (let round = 0; round < rounds; round += 1) figures.push(await measure(side))
  print(`with ${rows} more`, middle(figures), bare)
}

try {
  const wanted = process.argv[2]
  if (wanted !== 'redis') await compare('PostgreSQL', '')
  const redis = wanted === 'postgresql' ? undefined : await mortalRedis(ending)
  if (redis) await compare('Redis', redis.url)
  else if (wanted !== 'postgresql') console.log('no redis-server on this machine: not measured')
} finally {
  for (const end of teardowns) await end()
}
