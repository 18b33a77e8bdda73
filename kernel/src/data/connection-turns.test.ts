// One tenant asks for far more connections than there are; another for one.
import t from 'tap'
import type { Defence } from '../defences.ts'
import { prepared } from './statement.ts'
import { entity, storeFixture } from './store-fixture.ts'
import { openTenantConnections, type TenantConnections } from './tenant-connections.ts'

const fixture = await storeFixture(t, { item: entity({ name: { kind: 'text' } }) }, { max: 2 })
const { role, tenant: wild, other: calm } = fixture
await fixture.database.admin.query(`GRANT EXECUTE ON FUNCTION pg_sleep(double precision) TO ${role}`)

const sleep = prepared('SELECT pg_sleep($1)')
const quiet = { info: () => undefined, warn: () => undefined }

const open = (options: { max: number; queue?: number }, off: readonly Defence[] = []) => {
  const own = openTenantConnections(
    { connection: fixture.database.access.data, waitMs: 20_000, log: quiet, ...options },
    new Set(off),
  )
  t.teardown(() => own.close())
  return own
}

/** How many of the wild tenant's reads were answered before the calm tenant's one, which came last. */
async function answeredBefore(connections: TenantConnections, storm: number): Promise<number> {
  let answered = 0
  const reads = Array.from({ length: storm }, async () => {
    await connections.read(role, wild, sleep([0.02]))
    answered += 1
  })
  // Those that have a connection and those that wait are in their places.
  await new Promise((resolve) => setImmediate(resolve))
  await connections.read(role, calm, sleep([0]))
  const before = answered
  await Promise.all(reads)
  return before
}

t.test('a tenant is served in his turn, however many another waits with', async (t) => {
  // Two connections are too few to keep one free, so that the turns alone are seen.
  for (const off of [[], ['fairConnections']] as const) {
    const connections = open({ max: 2 }, off)
    await connections.read(role, calm, sleep([0]))
    const before = await answeredBefore(connections, 40)
    if (off.length === 0) t.ok(before <= 6, `${before} of 40`)
    else t.ok(before >= 30, `${before} of 40 when the first to come is the first to be served`)
  }
})

t.test('no tenant has all connections: one that asks meanwhile does not wait at all', async (t) => {
  const connections = openTenantConnections({
    connection: fixture.database.access.data,
    max: 4,
    waitMs: 300,
    log: quiet,
  })
  t.teardown(() => connections.close())
  const three = await Promise.all(
    Array.from({ length: 3 }, () => connections.lend(`"${role}"`, wild, 10_000)),
  )
  await t.rejects(
    connections.lend(`"${role}"`, wild, 10_000),
    { code: 'OVERLOADED' },
    'his fourth of four is kept for others',
  )
  await connections.read(role, calm, sleep([0]))
  t.equal(connections.stats().waiting, 0)
  for (const one of three) connections.giveBack(one)
  await connections.read(role, wild, sleep([0]))

  const unfair = openTenantConnections(
    { connection: fixture.database.access.data, max: 4, waitMs: 300, log: quiet },
    new Set(['fairConnections']),
  )
  t.teardown(() => unfair.close())
  const all = await Promise.all(Array.from({ length: 4 }, () => unfair.lend(`"${role}"`, wild, 10_000)))
  await t.rejects(unfair.read(role, calm, sleep([0])), { code: 'OVERLOADED' })
  for (const one of all) unfair.giveBack(one)
})

t.test('a tenant who fills the queue gives up a place to one who has none', async (t) => {
  const connections = open({ max: 2, queue: 10 })
  const refused: string[] = []
  const reads = Array.from({ length: 12 }, () =>
    connections.read(role, wild, sleep([0.05])).catch((error: { code: string }) => refused.push(error.code)),
  )
  await new Promise((resolve) => setImmediate(resolve))
  await connections.read(role, calm, sleep([0]))
  await Promise.all(reads)
  t.same(refused, ['OVERLOADED'])
})

t.test('reads of one tenant are few at once, and leave his units of work their connections', async (t) => {
  const mostAtOnce = async (off: readonly Defence[]) => {
    const connections = open({ max: 8 }, off)
    await Promise.all(Array.from({ length: 12 }, () => connections.read(role, wild, sleep([0.02]))))
    return connections
  }
  const connections = await mostAtOnce([])
  t.equal(connections.stats().open, 2)
  const units = await Promise.all(
    Array.from({ length: 6 }, () => connections.lend(`"${role}"`, wild, 10_000)),
  )
  t.equal(connections.stats().open, 6)
  for (const one of units) connections.giveBack(one)
  t.equal((await mostAtOnce(['fairConnections'])).stats().open, 8)
})
