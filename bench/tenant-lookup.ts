// What it costs to tell whose request it is, with 10 to 100,000 tenants in the database: from memory (warm) and from the
// database (cold), by each way of naming one. `node bench/tenant-lookup.ts`; a minute. It times the very function that
// the ladder and the front door call.
import pg from 'pg'
import pino from 'pino'
import { startChangeFeed } from '../kernel/src/data/change-feed.ts'
import type { Identified } from '../kernel/src/stages.ts'
import { type LocateParts, locateTenant } from '../kernel/src/tenants/locate-tenant.ts'
import { trustedProxies } from '../kernel/src/tenants/request-head.ts'
import { createTenantDirectory } from '../kernel/src/tenants/tenant-directory.ts'
import { createTenantHosts } from '../kernel/src/tenants/tenant-hosts.ts'
import { testDatabase } from '../tests/support/database.ts'

const sizes = [10, 1_000, 100_000]
const warmCalls = 50_000
const coldCalls = 300
/** Of the tenants that are asked for in turns: as many as fit in memory, or fewer. */
const inUse = 5_000

const endings: (() => Promise<void>)[] = []
const ending = { teardown: (work: () => Promise<void>) => void endings.push(work) }
const log = pino({ level: 'silent' })

const percentile = (sorted: readonly number[], share: number): string =>
  (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1)

const who = (tenantClaim?: string): Identified => ({
  requestId: 'bench',
  address: '127.0.0.1',
  actor: { id: 'ada', name: 'Ada', email: 'ada@example.com', session: 's' },
  token: 't',
  credential: 'session',
  ...(tenantClaim === undefined ? {} : { tenantClaim }),
})

const idOf = (n: number): string => `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`

/** By name, what the request number `n` says of its tenant. */
const ways: Readonly<
  Record<string, (n: number) => { claim?: string; headers: Record<string, string>; url?: string }>
> = {
  'own domain': (n) => ({ headers: { host: `erp.customer-${n}.example.com` } }),
  subdomain: (n) => ({ headers: { host: `t-${n}.erp.example` } }),
  'X-Tenant-ID': (n) => ({ headers: { host: '127.0.0.1:3000', 'x-tenant-id': `t-${n}` } }),
  'the token': (n) => ({ claim: idOf(n), headers: { host: '127.0.0.1:3000' } }),
  '?tenant=': (n) => ({ headers: { host: '127.0.0.1:3000' }, url: `/v1/x?limit=20&tenant=t-${n}` }),
  'all five': (n) => ({
    claim: idOf(n),
    headers: { host: `t-${n}.erp.example`, 'x-tenant-id': `t-${n}` },
    url: `/v1/x?tenant=${idOf(n)}`,
  }),
}

async function measure(parts: LocateParts, way: string, calls: number, of: number): Promise<number[]> {
  const say = ways[way]
  const times: number[] = []
  for (let call = 0; call < calls; call += 1) {
    const { claim, headers, url = '/v1/x' } = say?.(call % of) ?? { headers: {} }
    const head = { method: 'GET', url, headers, peer: '127.0.0.1' }
    const asker = who(claim)
    const began = performance.now()
    await locateTenant(parts, asker, head)
    times.push((performance.now() - began) * 1_000)
  }
  return times.sort((a, b) => a - b)
}

const { access, admin } = await testDatabase(ending)
const pool = new pg.Pool({ ...access.kernel, max: 4 })
const feed = await startChangeFeed({ connection: access.kernel, log })
console.log('| tenants | by | warm p50, p99 | cold p50, p99 |')
console.log('| --- | --- | --- | --- |')
let before = 0
for (const size of sizes) {
  const made = `select ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid as id, n from generate_series(${before}, ${size - 1}) n`
  await admin.query(
    `insert into kernel.tenant (id, slug, name) select id, 't-' || n, 'Tenant ' || n from (${made}) m`,
  )
  await admin.query(
    `insert into kernel.membership (tenant_id, user_id, role) select id, 'ada', 'member' from (${made}) m`,
  )
  await admin.query(
    `insert into kernel.tenant_domain (tenant_id, domain, challenge, added_by, verified_at)
     select id, 'erp.customer-' || n || '.example.com', 'x', 'ada', now() from (${made}) m`,
  )
  await admin.query('analyze kernel.tenant; analyze kernel.membership; analyze kernel.tenant_domain')
  before = size
  for (const way of Object.keys(ways)) {
    const parts = (): LocateParts => ({
      directory: createTenantDirectory(pool, feed),
      hosts: createTenantHosts(pool, feed, ['erp.example']),
      isTrusted: trustedProxies([]),
    })
    // A cold one asks the database two or three times; each time a directory that has never heard of the tenant.
    const cold: number[] = []
    let fresh = parts()
    for (let done = 0; done < coldCalls; done += Math.min(size, coldCalls)) {
      cold.push(...(await measure(fresh, way, Math.min(size, coldCalls), size)))
      fresh = parts()
    }
    const warm = parts()
    const of = Math.min(size, inUse)
    await measure(warm, way, of, of)
    const hot = await measure(warm, way, warmCalls, of)
    cold.sort((a, b) => a - b)
    console.log(
      `| ${size.toLocaleString('en')} | ${way} | ${percentile(hot, 0.5)} µs, ${percentile(hot, 0.99)} µs | ${(Number(percentile(cold, 0.5)) / 1_000).toFixed(2)} ms, ${(Number(percentile(cold, 0.99)) / 1_000).toFixed(2)} ms |`,
    )
  }
}
await feed.close()
await pool.end()
for (const end of endings.reverse()) await end()
