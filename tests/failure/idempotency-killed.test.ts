// Kernel processes that are killed while they carry out requests with an Idempotency-Key: whoever sends them again finds
// each done once.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { testDatabase, testInstallation } from '../support/database.ts'
import { makeInstallation } from '../support/installation.ts'
import { startKernelProcess } from '../support/kernel-process.ts'
import { openTenantAt } from '../support/operated-processes.ts'
import { someoneWaitsForALock } from '../support/waiting.ts'

const source = `
import { definePlugin, entity, t } from '@plinth/sdk'
const thing = entity('Thing', { name: t.text() }, { path: 'things' })
export default definePlugin({ name: 'things', title: 'Things', entities: { thing } })
`
const path = '/v1/things/things'
const killedAfterMs = 40

t.test('a kernel process that is killed', async (t) => {
  const database = await testDatabase(t)
  const environment = {
    DATABASE_URL: database.adminUrl,
    PLINTH_SECRET: testInstallation.secret,
    PLINTH_ROLE_PREFIX: testInstallation.rolePrefix,
    PLINTH_PLUGINS_ROOT: await makeInstallation(t, { '@test/things': { source } }),
  }
  const survivor = await startKernelProcess(t, environment)
  const tenant = await openTenantAt(survivor.url, 'things')
  const post = (url: string, name: string, key = name) =>
    tenant.at(url)('POST', path, { name }, { 'idempotency-key': key })
  const countOf = async (names: readonly string[]) => {
    const { rows } = await database.admin.query<{ name: string; n: number }>(
      'select name, count(*)::int as n from plugin_things.thing where name = any($1) group by name',
      [names],
    )
    return rows
  }

  await t.test('with the record written and the answer not: nothing has happened', async (t) => {
    const victim = await startKernelProcess(t, environment)
    const locker = await database.connect({ connectionString: database.adminUrl })
    await locker.query('begin; lock table kernel.idempotent_answer in exclusive mode')
    const name = randomUUID()
    const lost = post(victim.url, name).then(
      () => 'answered',
      () => 'lost',
    )
    await someoneWaitsForALock(database.admin)
    const meanwhile = post(survivor.url, name)
    await victim.end('SIGKILL')
    await locker.query('rollback')
    t.equal(await lost, 'lost')
    const again = await post(survivor.url, name)
    t.equal(again.status, 201)
    // It waited for the one that was killed, in another process, and gives up when that takes long.
    t.match((await meanwhile).status, /^(201|409)$/)
    t.same(await countOf([name]), [{ name, n: 1 }])
    t.same((await post(survivor.url, name)).body, again.body)
  })

  await t.test('somewhere in fifty requests, each sent to both of two: each is done once', async (t) => {
    const victim = await startKernelProcess(t, environment)
    const names = Array.from({ length: 25 }, () => randomUUID())
    const settled = Promise.allSettled(
      names.flatMap((name) => [post(victim.url, name), post(survivor.url, name)]),
    )
    await sleep(killedAfterMs)
    await victim.end('SIGKILL')
    await settled
    // Whoever got no answer sends it again; whoever did would get the same.
    const replies = await Promise.all(names.map((name) => post(survivor.url, name)))
    t.same(new Set(replies.map(({ status }) => status)), new Set([201]))
    t.same(
      (await countOf(names)).map(({ n }) => n),
      names.map(() => 1),
      'no more, no fewer',
    )
    const { rows } = await database.admin.query<{ id: string }>(
      'select id from plugin_things.thing where name = any($1)',
      [names],
    )
    t.same(
      replies.map(({ body }) => String(body['id'])).toSorted(),
      rows.map(({ id }) => id).toSorted(),
      'and what was answered is there',
    )
  })
})
