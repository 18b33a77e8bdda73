// What one tenant's storm does to another tenant of the same module: a calm one asks at a fixed rate, alone and beside each
// storm in turns, in one run. `node bench/fairness.ts`; about two minutes. Everything, the load too, shares the machine.
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Pool } from 'undici'
import { createClient } from '../examples/load-journal/client.ts'
import { startTestCluster } from '../tests/support/cluster.ts'
import { makeRoot, type Server, start } from './servers.ts'

const rounds = 6
const seconds = 4
const everyMs = 20
const stormCallers = 64
const items = 100

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
function storm(url: string, { headers }: Customer, path: () => string): () => Promise<number> {
  const pool = new Pool(url, { connections: stormCallers, pipelining: 1 })
  let over = false
  let answered = 0
  const call = async () => {
    while (!over) {
      const { body } = await pool.request({ path: path(), method: 'GET', headers: { ...headers } })
      await body.text()
      answered += 1
    }
  }
  const calls = Promise.all(Array.from({ length: stormCallers }, call))
  return async () => {
    over = true
    await calls
    await pool.close()
    return answered
  }
}

async function main(folder: string, adminUrl: string, started: Server[]): Promise<void> {
  const env = {
    DATABASE_URL: adminUrl,
    DATA_DIR: join(folder, 'data'),
    PORT: '0',
    PLINTH_PLUGINS_ROOT: await makeRoot(folder),
    LOG_LEVEL: 'error',
  }
  const kernel = await start('kernel/src/main.ts', [], env, /Plinth is ready at (\S+)/)
  started.push(kernel)
  const { url } = kernel
  const [calm, wild] = [await customer(url, 'calm'), await customer(url, 'wild')]
  const any = ({ ids }: Customer) => ids[Math.floor(Math.random() * ids.length)] ?? ''
  const calmPath = () => `/v1/items/work?id=${any(calm)}&queries=1`
  const storms: Readonly<Record<string, (() => string) | undefined>> = {
    alone: undefined,
    'CPU: 20 ms in each': () => '/v1/items/spin?ms=20',
    'queries: 20 in each': () => `/v1/items/work?id=${any(wild)}&queries=20`,
    'lists of 100, without a handler': () => '/v1/items/items?limit=100',
  }
  const found = Object.entries(storms).map(([name, path]) => ({
    name,
    path,
    p50: [] as number[],
    p95: [] as number[],
    stormed: [] as number[],
  }))
  await calmly(url, calm, calmPath)
  for (let round = 0; round < rounds; round += 1) {
    for (const { path, p50, p95, stormed } of found) {
      const end = path ? storm(url, wild, path) : undefined
      const times = (await calmly(url, calm, calmPath)).toSorted((a, b) => a - b)
      stormed.push(((await end?.()) ?? 0) / seconds)
      p50.push(percentile(times, 0.5))
      p95.push(percentile(times, 0.95))
    }
  }
  const [alone] = found
  for (const { name, p50, p95, stormed } of found) {
    const ratio = median(p95.map((value, round) => value / (alone?.p95[round] ?? 1)))
    console.log(
      `${name.padEnd(32)} p50 ${median(p50).toFixed(1).padStart(6)} ms  p95 ${median(p95).toFixed(1).padStart(6)} ms, ${ratio.toFixed(2)} of alone in its round  storm ${median(stormed).toFixed(0).padStart(5)}/s`,
    )
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
