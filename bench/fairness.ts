// What one tenant's storm does to another tenant of the same module: a calm one asks at a fixed rate, alone and beside each
// storm in turns, in one run, of a kernel with turns for requests and of one without. `node bench/fairness.ts [part of the
// storm's name]`; about five minutes. Everything, the load too, shares the machine.
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import pg from 'pg'
import { Pool } from 'undici'
import { createClient } from '../examples/load-journal/client.ts'
import { startTestCluster } from '../tests/support/cluster.ts'
import { highRates, makeRoot, type Server, start } from './servers.ts'
import type { StormOrder } from './storm.ts'

const rounds = 6
const seconds = 4
const everyMs = 20
const stormCallers = 64
const items = 100
/** Kernels that are measured in turns, by what is set for each: `turns` as it is, the other without them. */
const sidesBySettings = {
  turns: {},
  without: { PLINTH_TENANT_REQUESTS: '1000', PLINTH_REQUESTS_AT_ONCE: '10000' },
}

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
const median = (values: readonly number[]): number =>
  percentile(
    values.toSorted((a, b) => a - b),
    0.5,
  )

interface Customer {
  readonly headers: Readonly<Record<string, string>>
  readonly ids: readonly string[]
}

async function customer(url: string, slug: string): Promise<Customer> {
  const headers: Record<string, string> = {}
  const call = createClient(url, headers)
  const person = { name: slug, email: `${slug}@example.com`, password: randomUUID() }
  const { token } = await call<{ token: string }>('POST', '/v1/auth/sign-up/email', person)
  headers['authorization'] = `Bearer ${token}`
  await call('POST', '/v1/tenants', { name: slug, slug, currency: 'USD' })
  headers['x-tenant-id'] = slug
  await call('POST', '/v1/tenant/modules', { module: 'items' })
  const ids: string[] = []
  for (let n = 0; n < items; n += 1) {
    const item = { code: `c${n}`, name: 'An item', price: { amount: '1.00', currency: 'USD' }, quantity: n }
    ids.push((await call<{ id: string }>('POST', '/v1/items/items', item)).id)
  }
  return { headers, ids }
}

/** Latencies in ms, from the moment a request was due: one that waits behind its forerunner has waited. */
async function calmly(url: string, { headers }: Customer, path: () => string): Promise<number[]> {
  const pool = new Pool(url, { connections: 32, pipelining: 1 })
  const started = performance.now()
  const times: number[] = []
  const ask = async (due: number) => {
    const { statusCode, body } = await pool.request({ path: path(), method: 'GET', headers: { ...headers } })
    await body.text()
    if (statusCode !== 200) throw new Error(`the calm tenant was answered ${statusCode}`)
    times.push(performance.now() - due)
  }
  const asked: Promise<void>[] = []
  for (let due = started; due < started + seconds * 1_000; due += everyMs) {
    const wait = due - performance.now()
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
    asked.push(ask(due))
  }
  await Promise.all(asked)
  await pool.close()
  return times
}

/** Asks as fast as it is answered, from `stormCallers` callers. Ends when it is told, with how many it was answered. */
function storm(url: string, { headers }: Customer, paths: readonly string[]): () => Promise<number> {
  const order: StormOrder = { url, paths, headers, callers: stormCallers }
  const thread = new Worker(new URL('./storm.ts', import.meta.url), { workerData: order })
  return async () => {
    const [answered] = await Promise.all([once(thread, 'message'), thread.postMessage('over')])
    return Number(answered[0])
  }
}

/** A kernel on a database of its own, and two customers of it. */
async function openSide(
  folder: string,
  adminUrl: string,
  name: string,
  settings: Readonly<Record<string, string>>,
) {
  const admin = new pg.Client(adminUrl)
  await admin.connect()
  await admin.query(`create database ${name}`)
  await admin.end()
  const database = new URL(adminUrl)
  database.pathname = name
  const env = {
    DATABASE_URL: database.href,
    DATA_DIR: join(folder, name),
    PORT: '0',
    PLINTH_ROLE_PREFIX: name,
    PLINTH_PLUGINS_ROOT: folder,
    LOG_LEVEL: 'error',
    ...highRates,
    ...settings,
  }
  const server = await start('kernel/src/main.ts', [], env, /Plinth is ready at (\S+)/)
  const { url } = server
  return { name, server, url, calm: await customer(url, 'calm'), wild: await customer(url, 'wild') }
}

async function main(folder: string, adminUrl: string, started: Server[]): Promise<void> {
  await makeRoot(folder)
  const sides: Awaited<ReturnType<typeof openSide>>[] = []
  for (const [name, settings] of Object.entries(sidesBySettings)) {
    const side = await openSide(folder, adminUrl, name, settings)
    started.push(side.server)
    sides.push(side)
  }
  const wanted = process.argv.slice(2)
  const storms: Readonly<Record<string, (wild: Customer) => string[]>> = {
    'CPU: 20 ms in each': () => ['/v1/items/spin?ms=20'],
    'queries: 20 in each': ({ ids }) => ids.map((id) => `/v1/items/work?id=${id}&queries=20`),
    'lists of 100, without a handler': () => ['/v1/items/items?limit=100'],
  }
  const calmPath = ({ ids }: Customer) =>
    `/v1/items/work?id=${ids[Math.floor(Math.random() * ids.length)] ?? ''}&queries=1`
  const ask = async ({ url, calm }: { url: string; calm: Customer }) => {
    const times = (await calmly(url, calm, () => calmPath(calm))).toSorted((a, b) => a - b)
    return { p50: percentile(times, 0.5), p95: percentile(times, 0.95) }
  }
  for (const side of sides) await ask(side)
  for (const [name, paths] of Object.entries(storms)) {
    if (wanted.length > 0 && !wanted.some((part) => name.includes(part))) continue
    const found = sides.map((side) => ({
      side,
      alone: [] as number[],
      p50: [] as number[],
      p95: [] as number[],
      stormed: [] as number[],
    }))
    for (let round = 0; round < rounds; round += 1) {
      for (const { side, alone, p50, p95, stormed } of found) {
        alone.push((await ask(side)).p95)
        const end = storm(side.url, side.wild, paths(side.wild))
        const times = await ask(side)
        stormed.push((await end()) / seconds)
        p50.push(times.p50)
        p95.push(times.p95)
      }
    }
    console.log(name)
    for (const { side, alone, p50, p95, stormed } of found) {
      const ratio = median(p95.map((value, round) => value / (alone[round] ?? 1)))
      console.log(
        `  ${side.name.padEnd(8)} p95 alone ${median(alone).toFixed(1).padStart(6)} ms, beside the storm p50 ${median(p50).toFixed(1).padStart(6)} ms  p95 ${median(p95).toFixed(1).padStart(6)} ms, ${ratio.toFixed(2)} of alone in its round  storm ${median(stormed).toFixed(0).padStart(5)}/s`,
      )
    }
  }
}

const folder = await mkdtemp(join(tmpdir(), 'plinth-fairness-'))
const started: Server[] = []
const cluster = await startTestCluster()
try {
  console.log(
    `Calm: ${1_000 / everyMs} requests in a second of one query in a handler; storm: ${stormCallers} callers.`,
  )
  console.log(`Medians of ${rounds} rounds of ${seconds} s, in turns.\n`)
  await main(folder, cluster.adminUrl, started)
} finally {
  for (const { child } of started) child.kill('SIGTERM')
  await Promise.all(started.map(({ child }) => new Promise((resolve) => child.once('exit', resolve))))
  await cluster.stop()
  await rm(folder, { recursive: true, force: true })
}
