// What a hash chain over the audit trail costs the one who writes: none, sealed afterwards as the kernel does it, or linked
// within the transaction behind a lock on the tenant's last link. In turns, on one embedded PostgreSQL that waits for its
// disk. `node bench/audit-chain.ts`; about a minute.
import { randomUUID, randomUUIDv7 } from 'node:crypto'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import pino from 'pino'
import { auditKey } from '../kernel/src/audit/audit-digest.ts'
import { startAuditSealer } from '../kernel/src/audit/sealer.ts'
import { bootstrapDatabase } from '../kernel/src/data/bootstrap.ts'
import { startEmbeddedPostgres } from '../kernel/src/data/embedded-postgres.ts'

const rounds = 5
const seconds = 2
const callers = 16

const log = pino({ level: 'warn' }, pino.destination(2))

const insert = `INSERT INTO kernel.audit (tenant_id, actor, request_id, module, entity, record_id, action, after)
  VALUES ($1, 'ada', 'request', 'items', 'item', $2, 'create', $3)`
const linked = `WITH a AS (${insert} RETURNING turn, id)
  UPDATE bench_head h SET hash = sha256(h.hash || convert_to($2 || $3 || a.turn || a.id, 'UTF8')) FROM a WHERE h.tenant_id = $1`
const record = JSON.stringify({
  code: randomUUID(),
  name: 'An item',
  price: { amount: '12.50', currency: 'USD' },
})

type Way = 'not at all' | 'afterwards' | 'within'
const ways: readonly Way[] = ['not at all', 'afterwards', 'within']

async function create(client: pg.Client, way: Way, tenant: string): Promise<void> {
  const id = randomUUIDv7()
  // As a unit of work sends it: everything on its way at once, the audit row with the commit.
  await Promise.all([
    client.query('BEGIN'),
    client.query({
      name: 'item',
      text: 'INSERT INTO bench_item VALUES ($1, $2, $3)',
      values: [tenant, id, record],
    }),
    client.query({ name: way, text: way === 'within' ? linked : insert, values: [tenant, id, record] }),
    client.query('COMMIT'),
  ])
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0

async function measure(clients: readonly pg.Client[], way: Way, tenants: readonly string[]) {
  const times: number[] = []
  const end = performance.now() + seconds * 1_000
  await Promise.all(
    clients.map(async (client, at) => {
      while (performance.now() < end) {
        const began = performance.now()
        await create(client, way, tenants[at % tenants.length] ?? '')
        times.push(performance.now() - began)
      }
    }),
  )
  times.sort((a, b) => a - b)
  return {
    perSecond: times.length / seconds,
    p50: median(times),
    p99: times[Math.floor(times.length * 0.99)] ?? 0,
  }
}

const folder = await mkdtemp(join(tmpdir(), 'plinth-bench-'))
await chmod(folder, 0o711)
const server = await startEmbeddedPostgres({ dataDir: folder, reachableRoot: folder, log, settings: {} })
try {
  const access = await bootstrapDatabase({
    adminUrl: server.adminUrl,
    secret: 'bench',
    rolePrefix: 'bench',
    log,
  })
  const clients = await Promise.all(
    Array.from({ length: callers }, async () => {
      const client = new pg.Client({ connectionString: server.adminUrl, pipeline: true })
      await client.connect()
      return client
    }),
  )
  const [admin] = clients
  const tenants = Array.from({ length: callers }, () => randomUUIDv7())
  await admin?.query(
    'CREATE TABLE bench_item (tenant_id uuid, id uuid, data jsonb, PRIMARY KEY (tenant_id, id))',
  )
  await admin?.query(
    'CREATE TABLE bench_head (tenant_id uuid PRIMARY KEY, hash bytea) WITH (fillfactor = 50)',
  )
  for (const tenant of tenants) await admin?.query('INSERT INTO bench_head VALUES ($1, $2)', [tenant, ''])
  const pool = new pg.Pool({ ...access.kernel, max: 2 })
  const key = auditKey('bench')
  for (const [whose, some] of [
    ['one tenant', tenants.slice(0, 1)],
    [`${callers} tenants`, tenants],
  ] as const) {
    const found = new Map<Way, Awaited<ReturnType<typeof measure>>[]>(ways.map((way) => [way, []]))
    for (let round = -1; round < rounds; round += 1) {
      for (const way of ways) {
        const sealer = way === 'afterwards' ? startAuditSealer({ pool, key, log }) : undefined
        const one = await measure(clients, way, some)
        await sealer?.close()
        if (round >= 0) found.get(way)?.push(one)
      }
    }
    console.log(`${whose}, ${callers} callers, medians of ${rounds} rounds of ${seconds} s`)
    const base = median((found.get('not at all') ?? []).map((one) => one.perSecond))
    for (const [way, all] of found) {
      const of = (pick: (one: (typeof all)[number]) => number) => median(all.map(pick))
      const rate = of((one) => one.perSecond)
      console.log(
        `  ${way.padEnd(11)} ${rate.toFixed(0).padStart(6)}/s  p50 ${of((one) => one.p50).toFixed(2)} ms  p99 ${of((one) => one.p99).toFixed(2)} ms  ${(rate / base).toFixed(2)} of none`,
      )
    }
  }
  await pool.end()
  for (const client of clients) await client.end()
} finally {
  await server.stop()
  await rm(folder, { recursive: true, force: true })
}
