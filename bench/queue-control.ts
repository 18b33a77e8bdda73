// The control of events.ts: a bare BullMQ producer and worker that insert what a subscriber inserts, and nothing else. Jobs
// that are done are removed, as turns are. A process of its own: node bench/queue-control.ts <connection as JSON> <redis or ''>
import { randomUUID, randomUUIDv7 } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createPostgresBackend, createRedisBackend, Queue, runMigrations, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import pg from 'pg'

const atOnce = 16
const [connection = '{}', redis = ''] = process.argv.slice(2)
const pool = new pg.Pool({ ...JSON.parse(connection), max: atOnce })
/** The one that BullMQ looks in. */
const schema = 'bullmq'

async function openStore() {
  if (redis !== '') {
    const open = () => new Redis(redis, { maxRetriesPerRequest: null })
    return { factory: createRedisBackend as never, queue: open(), worker: open() }
  }
  const client = new pg.Client(JSON.parse(connection))
  await client.connect()
  await runMigrations(client, schema)
  await client.end()
  const turns = new pg.Pool({ ...JSON.parse(connection), max: atOnce, options: `-c search_path=${schema}` })
  return { factory: createPostgresBackend as never, queue: turns, worker: turns }
}

interface Told {
  readonly number: number
}

await pool.query(
  `create table if not exists bench_effect (tenant_id uuid, id uuid, version int, created_at timestamptz, created_by text,
     updated_at timestamptz, updated_by text, number int, primary key (tenant_id, id));
   create table if not exists bench_cause (number int primary key)`,
)
const store = await openStore()
const options = { removeOnComplete: true, removeOnFail: true }
const queue = new Queue(
  'bench',
  { connection: store.queue as never, defaultJobOptions: options },
  store.factory,
) as Queue<Told>
let done = 0
const tenant = randomUUIDv7()
const worker = new Worker<Told>(
  'bench',
  async ({ data }) => {
    await pool.query({
      name: 'effect',
      text: `insert into bench_effect values ($1, $2, 1, now(), 'bench', now(), 'bench', $3)`,
      values: [tenant, randomUUIDv7(), data.number],
    })
    done += 1
  },
  {
    connection: store.worker as never,
    concurrency: atOnce,
    removeOnComplete: { count: 0 },
    removeOnFail: { count: 0 },
  },
  store.factory,
)
queue.on('error', (error) => console.error(error.message))
worker.on('error', (error) => console.error(error.message))

const add = (number: number) => queue.add('told', { number }, { jobId: randomUUID() })

async function many(count: number): Promise<void> {
  const target = done + count
  let next = 0
  const produce = async () => {
    while (next++ < count) await add(0)
  }
  await Promise.all(Array.from({ length: atOnce }, produce))
  while (done < target) await sleep(2)
}

async function oneByOne(from: number, count: number, pauseMs: number): Promise<void> {
  const target = done + count
  for (let number = from; number < from + count; number += 1) {
    await pool.query('insert into bench_cause values ($1)', [number])
    await add(number)
    await sleep(pauseMs)
  }
  while (done < target) await sleep(2)
}

process.once('SIGTERM', () => process.exit())

const server = createServer(async (request, response) => {
  const url = new URL(request.url ?? '/', 'http://control')
  const of = (name: string) => Number(url.searchParams.get(name))
  if (url.pathname === '/many') await many(of('count'))
  else await oneByOne(of('from'), of('count'), of('pause'))
  response.end('{}')
}).listen(0, '127.0.0.1', () => {
  console.log(`control at http://127.0.0.1:${(server.address() as AddressInfo).port}`)
})
