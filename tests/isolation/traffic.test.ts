// What one caller's traffic does to others: requests at once.
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

t.test('requests of one tenant at once', async (t) => {
  const root = await makeInstallation(t, { '@test/things': { source } })
  const open = async (off: readonly Defence[]) => {
    const { database, openTenant } = await testKernel(t, { pluginsRoot: root }, { off: new Set(off) })
    const storm = await openTenant('things')
    const calm = await openTenant('things')
    const { body } = await storm.owner('POST', '/v1/things/things', { name: 'a' })
    return { database, storm, calm, path: `/v1/things/things/${String(body['id'])}` }
  }

  await t.test(
    'twenty changes of one record are four inside, and as many as get a connection without the turns',
    async (t) => {
      for (const [off, inside] of [
        [[], 4],
        [['requestTurns'], 12],
      ] as const) {
        const { database, storm, calm, path } = await open(off)
        const locker = await database.connect({ connectionString: database.adminUrl })
        await locker.query('begin; select from plugin_things.thing for update')
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
})
