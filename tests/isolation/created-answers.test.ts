// An action answers with a record that it names by its id. The name may come from anywhere, so what the caller may not
// read is not shown to him that way.
import t from 'tap'
import { makeInstallation } from '../support/installation.ts'
import { testKernel } from '../support/kernel.ts'

const source = `
import { created, definePlugin, entity, t } from '@plinth/sdk'
const note = entity('Note', { text: t.text() }, { path: 'notes' })
const secret = entity('Secret', { text: t.text() }, { path: 'secrets' })
const drop = entity('Drop', { text: t.text() }, { path: 'drops' })
export default definePlugin({
  name: 'notes', title: 'Notes', entities: { note, secret, drop },
  actions: { note: {
    show: { input: { id: t.text() }, run: (ctx, note, { id }) => created({ id }) },
    leave: { run: async (ctx) => created(await ctx.entities.drop.create({ text: 'left' })) },
    copy: { run: async (ctx, note) => created(await ctx.entities.note.create({ text: note.text })) },
  } },
  roles: { member: { can: [
    'note.create', 'note.show', 'note.leave', 'note.copy', 'drop.create', { permission: 'note.read', own: true },
  ] } },
})`

t.test('a record that an action answers with', async (t) => {
  const root = await makeInstallation(t, { '@test/notes': { source } })
  const kernel = await testKernel(t, { pluginsRoot: root })
  const tenant = await kernel.openTenant('notes')
  const other = await kernel.openTenant('notes')
  const eve = await kernel.addMember(tenant, 'member')
  const make = async (send: typeof eve, path: string) =>
    String((await send('POST', `/v1/notes/${path}`, { text: `of ${path}` })).body['id'])
  const own = await make(eve, 'notes')
  const show = (send: typeof eve, id: string) => send('POST', `/v1/notes/notes/${own}/show`, { id })

  await t.test(
    'is not shown to a caller who may not read it, nor told from one that is not there',
    async (t) => {
      const targets = {
        'of an entity he may not read': await make(tenant.owner, 'secrets'),
        'of somebody else, where he reads his own': await make(tenant.owner, 'notes'),
        'of another tenant': await make(other.owner, 'notes'),
        'that does not exist': '019a0000-0000-7000-8000-000000000000',
        'with a name that is no id': 'x',
      }
      for (const [name, id] of Object.entries(targets)) {
        const reply = await show(eve, id)
        t.match(reply, { status: 502, body: { code: 'PLUGIN_FAILED' } }, name)
        t.notOk(JSON.stringify(reply.body).includes('of '), name)
        t.notOk('location' in reply.headers, name)
      }
    },
  )

  await t.test('is shown to one who may', async (t) => {
    const secret = await make(tenant.owner, 'secrets')
    t.match(await show(tenant.owner, secret), { status: 201, body: { id: secret, text: 'of secrets' } })
    const copy = await eve('POST', `/v1/notes/notes/${own}/copy`)
    t.match(copy, { status: 201, body: { text: 'of notes' } })
    t.equal(copy.headers['location'], `/v1/notes/notes/${String(copy.body['id'])}`)
  })

  await t.test('is named, and not shown, to one who may make it and not read it', async (t) => {
    const left = await eve('POST', `/v1/notes/notes/${own}/leave`)
    t.equal(left.status, 201)
    t.match(left.headers['location'], /^\/v1\/notes\/drops\/[0-9a-f-]{36}$/)
    t.same(left.body, {})
  })
})
