// A POST that is sent again with its Idempotency-Key: carried out once, answered twice.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { makeInstallation } from '../support/installation.ts'
import { type Reply, type Send, testKernel } from '../support/kernel.ts'

const source = `
import { definePlugin, entity, t } from '@plinth/sdk'
const thing = entity('Thing', { name: t.text(), state: t.state({ open: ['done'], done: [] }) }, { path: 'things' })
export default definePlugin({
  name: 'things', title: 'Things', entities: { thing },
  actions: { thing: { finish: { to: 'done' } } },
  routes: {
    make: { method: 'POST', path: '/make', input: { name: t.text() }, async run(ctx, { name }) {
      const { id } = await ctx.entities.thing.create({ name })
      if (name === 'fails') throw new Error('fails')
      return { id }
    } },
  },
})
`
const key = () => ({ 'idempotency-key': randomUUID() })
const path = '/v1/things/things'
const seen = ({ status, body, headers }: Reply) => ({
  status,
  body,
  location: headers['location'],
  etag: headers['etag'],
  type: headers['content-type'],
})

t.test('a request with an Idempotency-Key', async (t) => {
  const root = await makeInstallation(t, { '@test/things': { source } })
  const { database, openTenant, addMember, signUp } = await testKernel(t, { pluginsRoot: root })
  const tenant = await openTenant('things')
  const { owner } = tenant
  const countOf = async (name: string) =>
    (await database.admin.query('select from plugin_things.thing where name = $1', [name])).rowCount
  const post = (send: Send, body: object, headers: Readonly<Record<string, string>>, url = path) =>
    send('POST', url, body, headers)

  await t.test('is answered again as it was, and not done again', async (t) => {
    const once = key()
    const first = await post(owner, { name: 'one' }, once)
    t.match(first, { status: 201, body: { name: 'one', version: 1 } })
    t.equal(first.headers['idempotent-replayed'], undefined)
    const again = await post(owner, { name: 'one' }, once)
    t.same(seen(again), seen(first))
    t.equal(again.headers['idempotent-replayed'], 'true')
    t.not(again.headers['x-request-id'], first.headers['x-request-id'])
    t.equal(await countOf('one'), 1)
    const action = `${path}/${String(first.body['id'])}/finish`
    const finished = await post(owner, {}, once, action)
    t.match(
      finished,
      { status: 200, body: { state: 'done', version: 2 } },
      'of another route the key is another',
    )
    t.same(seen(await post(owner, {}, once, action)), seen(finished), 'where a second time would be refused')
    t.equal((await post(owner, {}, key(), action)).status, 409)
    const made = await post(owner, { name: 'two' }, once, '/v1/things/make')
    t.same(seen(await post(owner, { name: 'two' }, once, '/v1/things/make')), seen(made))
    t.equal(await countOf('two'), 1)
  })

  await t.test('fifty at once are one', async (t) => {
    const once = key()
    const replies = await Promise.all(Array.from({ length: 50 }, () => post(owner, { name: 'fifty' }, once)))
    t.same(new Set(replies.map((reply) => JSON.stringify(seen(reply)))).size, 1)
    t.equal(replies[0]?.status, 201)
    t.equal(replies.filter(({ headers }) => headers['idempotent-replayed'] === 'true').length, 49)
    t.equal(await countOf('fifty'), 1)
  })

  await t.test('that differs from the one before is refused', async (t) => {
    const once = key()
    t.equal((await post(owner, { name: 'three' }, once)).status, 201)
    t.match(await post(owner, { name: 'three', more: 1 }, once), {
      status: 422,
      body: { code: 'IDEMPOTENCY_KEY_REUSED' },
    })
    for (const bad of ['', 'with space', 'x'.repeat(256), 'schlüssel']) {
      const refused = await post(owner, { name: 'bad' }, { 'idempotency-key': bad })
      t.match(refused, { status: 422, body: { errors: [{ field: 'Idempotency-Key' }] } }, bad)
    }
    t.equal(await countOf('bad'), 0)
  })

  await t.test('that was refused before it began, or failed, is tried again', async (t) => {
    const once = key()
    t.equal((await post(owner, { nam: 'four' }, once)).status, 422)
    t.equal((await post(owner, { name: 'four' }, once)).status, 201)
    const failing = key()
    for (let n = 0; n < 2; n += 1) {
      const failed = await post(owner, { name: 'fails' }, failing, '/v1/things/make')
      t.match(failed, { status: 502, body: { code: 'PLUGIN_FAILED' } })
      t.equal(failed.headers['idempotent-replayed'], undefined)
    }
    t.equal(await countOf('fails'), 0)
  })

  await t.test('that was refused after it began is refused again as it was', async (t) => {
    const made = await post(owner, { name: 'five' }, key())
    const action = `${path}/${String(made.body['id'])}/finish`
    await post(owner, {}, key(), action)
    const once = key()
    const refused = await post(owner, {}, once, action)
    t.equal(refused.status, 409)
    const again = await post(owner, {}, once, action)
    t.same(seen(again), seen(refused))
    t.equal(again.headers['idempotent-replayed'], 'true')
  })

  await t.test('is of one person in one tenant', async (t) => {
    const once = key()
    const mine = await post(owner, { name: 'mine' }, once)
    const admin = await addMember(tenant, 'admin')
    const other = await openTenant('things')
    for (const send of [admin, other.owner]) {
      const theirs = await post(send, { name: 'mine' }, once)
      t.equal(theirs.status, 201)
      t.not(theirs.body['id'], mine.body['id'])
      t.equal(theirs.headers['idempotent-replayed'], undefined)
    }
  })

  await t.test('is forgotten after a day', async (t) => {
    const once = key()
    const first = await post(owner, { name: 'day' }, once)
    await database.admin.query(
      `update kernel.idempotent_request set claimed_at = now() - interval '25 hours'`,
    )
    const later = await post(owner, { name: 'day' }, once)
    t.equal(later.status, 201)
    t.not(later.body['id'], first.body['id'])
  })

  await t.test('changes the tenant itself once', async (t) => {
    const email = `${randomUUID()}@example.com`
    await signUp(undefined, email)
    const once = key()
    const body = { email, role: 'member' }
    const replies = await Promise.all(
      Array.from({ length: 10 }, () => post(owner, body, once, '/v1/tenant/members')),
    )
    t.same([...new Set(replies.map((reply) => JSON.stringify(seen(reply))))].length, 1)
    t.equal(replies[0]?.status, 201)
    t.equal((await post(owner, body, key(), '/v1/tenant/members')).status, 409)
    const slug = `t-${randomUUID().slice(0, 8)}`
    const company = { name: slug, slug, currency: 'USD' }
    const person = await signUp()
    const [first, second] = [
      await post(person, company, once, '/v1/tenants'),
      await post(person, company, once, '/v1/tenants'),
    ]
    t.equal(first.status, 201)
    t.same(seen(second), seen(first))
  })

  await t.test('whose answer is a secret is not answered twice', async (t) => {
    const once = key()
    const wish = { name: 'for a script', scopes: ['things.*'], expiresInDays: 1 }
    const made = await post(owner, wish, once, '/v1/me/keys')
    t.equal(made.status, 201)
    t.match(await post(owner, wish, once, '/v1/me/keys'), {
      status: 409,
      body: { code: 'IDEMPOTENCY_ANSWER_GONE' },
    })
    const { rows } = await database.admin.query('select body from kernel.idempotent_answer')
    t.notMatch(JSON.stringify(rows), String(made.body['key']).slice(10))
    const { body } = await owner('GET', '/v1/me/keys')
    t.equal((body['items'] as object[]).length, 1)
  })
})
