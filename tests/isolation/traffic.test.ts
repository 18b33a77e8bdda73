// What one caller's traffic does to others, with the walls against it and without: requests at once, passwords tried, pages
// of other origins, and answers that are kept for somebody else.
import t from 'tap'
import type { Defence } from '../../kernel/src/defences.ts'
import { makeInstallation } from '../support/installation.ts'
import { testKernel } from '../support/kernel.ts'
import { someoneWaitsForALock } from '../support/waiting.ts'

const source = `
import { definePlugin, entity, t } from '@plinth/sdk'
const thing = entity('Thing', { name: t.text() }, { path: 'things' })
export default definePlugin({ name: 'things', title: 'Things', entities: { thing } })
`

/** Each is about something else, so that one kernel without any of them does for all. */
const walls: readonly Defence[] = ['requestTurns', 'idempotencyOwner', 'rateLimits', 'originCheck']

t.test('traffic', async (t) => {
  const root = await makeInstallation(t, { '@test/things': { source } })
  const open = async (off: readonly Defence[]) => {
    const settings = { pluginsRoot: root, rateAuth: 10 }
    const kernel = await testKernel(t, settings, { off: new Set(off) })
    const storm = await kernel.openTenant('things')
    const calm = await kernel.openTenant('things')
    const { body } = await storm.owner('POST', '/v1/things/things', { name: 'a' })
    const path = `/v1/things/things/${String(body['id'])}`
    return { ...kernel, storm, calm, path, areDown: off.length > 0 }
  }
  const kernels = [await open([]), await open(walls)]

  await t.test(
    'twenty changes of one record are four inside, and as many as get a connection without the turns',
    async (t) => {
      for (const { database, storm, calm, path, areDown } of kernels) {
        const inside = areDown ? 12 : 4
        const locker = await database.connect({ connectionString: database.adminUrl })
        await locker.query('begin; select from plugin_things.thing for update')
        // Beside one another: who is alone keeps nobody waiting.
        await calm.owner('GET', '/v1/things/things')
        const changes = Array.from({ length: 20 }, (_, n) => storm.owner('PATCH', path, { name: `b${n}` }))
        await someoneWaitsForALock(database.admin, inside)
        const made = await calm.owner('POST', '/v1/things/things', { name: 'c' })
        t.equal(made.status, 201, 'another tenant is served')
        t.equal(await someoneWaitsForALock(database.admin, inside), inside)
        await locker.query('rollback')
        t.same(new Set((await Promise.all(changes)).map(({ status }) => status)), new Set([200]))
      }
    },
  )

  await t.test(
    "another's Idempotency-Key finds another's answer only without idempotencyOwner",
    async (t) => {
      for (const { storm, calm, areDown } of kernels) {
        const sent = [
          'POST',
          '/v1/things/things',
          { name: 'secret' },
          { 'idempotency-key': 'guessed' },
        ] as const
        const theirs = await storm.owner(...sent)
        const mine = await calm.owner(...sent)
        t.match(mine, { status: 201, body: { name: 'secret' } })
        t.equal(mine.body['id'] === theirs.body['id'], areDown)
      }
    },
  )

  await t.test('passwords are tried a few times in a minute, and for ever without rateLimits', async (t) => {
    for (const { send, areDown } of kernels) {
      const statuses = new Set<number>()
      for (let n = 0; n < 22; n += 1) {
        const guess = { email: `${n}@example.com`, password: `guess number ${n}` }
        statuses.add((await send('POST', '/v1/auth/sign-in/email', guess)).status)
      }
      t.equal(statuses.has(429), !areDown)
    }
  })

  await t.test("a page of another origin reads a tenant's answer only without originCheck", async (t) => {
    for (const { calm, areDown } of kernels) {
      const origin = 'https://evil.example'
      const { headers } = await calm.owner('GET', '/v1/tenant', undefined, { origin })
      t.equal(headers['access-control-allow-origin'] === origin, areDown)
    }
  })
})
