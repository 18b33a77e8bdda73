// A rule that holds for one's own records: the verdict on a single record and the rows of a list come from the same
// rules, so over random people and records they must agree.
import fc from 'fast-check'
import t from 'tap'
import { makeInstallation } from '../support/installation.ts'
import { type Send, testKernel } from '../support/kernel.ts'

const source = `
import { definePlugin, entity, t } from '@plinth/sdk'
const note = entity('Note', { text: t.text() }, { path: 'notes' })
export default definePlugin({
  name: 'notes', title: 'Notes', entities: { note },
  routes: { mine: { method: 'GET', path: '/mine', run: async (ctx) => (await ctx.entities.note.list({}, { limit: 200 })).items.length } },
  roles: { member: { can: [
    'note.create', 'route.mine',
    { permission: 'note.read', own: true }, { permission: 'note.update', own: true }, { permission: 'note.delete', own: true },
  ] } },
})`
const notes = '/v1/notes/notes'

t.test('records of one’s own', async (t) => {
  const root = await makeInstallation(t, { '@test/notes': { source } })
  const kernel = await testKernel(t, { pluginsRoot: root })
  const tenant = await kernel.openTenant('notes')
  const people = [tenant.owner]
  for (let n = 0; n < 3; n += 1) people.push(await kernel.addMember(tenant, 'member'))
  const [owner, ada, eve] = people as [Send, Send, Send]
  const listed = async (send: Send) =>
    ((await send('GET', `${notes}?limit=200`)).body['items'] as { id: string }[]).map((item) => item.id)

  await t.test('what is not his is not there for him, and is for the owner', async (t) => {
    const hers = (await ada('POST', notes, { text: 'hers' })).body
    const path = `${notes}/${String(hers['id'])}`
    for (const reply of [
      await eve('GET', path),
      await eve('PATCH', path, { text: 'x' }),
      await eve('DELETE', path),
    ]) {
      t.match(reply, { status: 404, body: { code: 'RECORD_NOT_FOUND' } })
    }
    t.same(await listed(eve), [])
    t.match(await eve('GET', '/v1/notes/mine'), { body: 0 }, 'the plugin sees no more for him')
    t.match(await owner('GET', path), { status: 200 })
  })

  await t.test('the single verdict is the list’s, whoever made what', async (t) => {
    const made: string[] = []
    await fc.assert(
      fc.asyncProperty(fc.nat(people.length - 1), fc.nat(people.length - 1), async (maker, reader) => {
        const by = people[maker] ?? owner
        made.push(String((await by('POST', notes, { text: 'a' })).body['id']))
        const send = people[reader] ?? owner
        const seen = new Set(await listed(send))
        for (const id of made.slice(-5)) {
          const { status } = await send('GET', `${notes}/${id}`)
          t.equal(status === 200, seen.has(id))
        }
      }),
      { numRuns: 40 },
    )
  })
})
