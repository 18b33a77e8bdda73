// Two who change the same at the same time: what has no version of its own has an ETag that tells one state from another.
import t, { type Test } from 'tap'
import { hosts, startBank } from '../support/bank-kernel.ts'
import { type Send, testKernel } from '../support/kernel.ts'

const conflict = { status: 412, body: { code: 'VERSION_CONFLICT' } }

/** What two clients see who have read the same, and change it one after the other. */
async function changeTwice(
  t: Test,
  send: Send,
  url: string,
  changes: { readonly method: 'PATCH' | 'PUT'; readonly path?: string; readonly bodies: readonly object[] },
): Promise<string> {
  const { method, path = url, bodies } = changes
  const read = await send('GET', url)
  const etag = String(read.headers['etag'])
  t.match(etag, /^"[\w-]{22}"$/, `${url} has an ETag`)
  t.match(await send('GET', url, undefined, { 'if-none-match': etag }), { status: 304, text: '' })
  const first = await send(method, path, bodies[0], { 'if-match': etag })
  t.match(first, { status: 200 })
  t.not(first.headers['etag'], etag)
  t.match(await send(method, path, bodies[1], { 'if-match': etag }), conflict, 'the second is told')
  const now = await send('GET', url)
  t.same(
    [now.headers['etag'], now.body],
    [first.headers['etag'], first.body],
    'and nothing was changed by it',
  )
  t.match(await send('GET', url, undefined, { 'if-none-match': etag }), { status: 200 })
  t.match(await send(method, path, bodies[1], { 'if-match': `W/${now.headers['etag']}` }), conflict)
  t.match(await send(method, path, bodies[1], { 'if-match': 'nonsense' }), {
    status: 422,
    body: { errors: [{ field: 'If-Match' }] },
  })
  t.match(await send(method, path, bodies[1], { 'if-match': `"x", ${now.headers['etag']}` }), { status: 200 })
  t.match(await send(method, path, bodies[0]), { status: 200 }, 'without the header the last change wins')
  return String((await send('GET', url)).headers['etag'])
}

t.test('settings, members and one’s own profile are changed as they were read, or not', async (t) => {
  const kernel = await testKernel(t)
  const tenant = await kernel.openTenant('finance')
  const { owner } = tenant

  await t.test('settings of a module', async (t) => {
    await changeTwice(t, owner, '/v1/tenant/settings/finance', {
      method: 'PATCH',
      bodies: [{ lockedThrough: '2026-03-31' }, { lockedThrough: '2026-04-30' }],
    })
  })

  await t.test('a member', async (t) => {
    const member = await kernel.addMember(tenant, 'member')
    const id = String((await member('GET', '/v1/me')).body['id'])
    const url = `/v1/tenant/members/${id}`
    const etag = await changeTwice(t, owner, url, {
      method: 'PATCH',
      bodies: [{ role: 'admin' }, { active: false }],
    })
    t.match(await owner('PATCH', url, { active: true }), { status: 200 })
    t.match(await owner('DELETE', url, undefined, { 'if-match': etag }), conflict, 'nor removed')
    const now = String((await owner('GET', url)).headers['etag'])
    await member('PATCH', '/v1/me', { name: 'Somebody Else' })
    t.match(
      await owner('DELETE', url, undefined, { 'if-match': now }),
      conflict,
      'somebody of another name is another state, too',
    )
    const last = String((await owner('GET', url)).headers['etag'])
    t.match(await owner('DELETE', url, undefined, { 'if-match': last }), { status: 204 })
    t.match(await owner('GET', url), { status: 404, body: { code: 'RECORD_NOT_FOUND' } })
    const other = await kernel.openTenant()
    t.match(await other.owner('GET', url), { status: 404 })
  })

  await t.test('who I am', async (t) => {
    await changeTwice(t, owner, '/v1/me', {
      method: 'PATCH',
      bodies: [{ name: 'Ada' }, { name: 'Ada King', language: 'de' }],
    })
    t.match(await owner('PATCH', '/v1/me', { email: 'other@example.com' }), {
      status: 422,
      body: { errors: [{ field: 'email' }] },
    })
    const { body } = await owner('GET', '/v1/me/events')
    const changed = (body['items'] as { kind: string }[]).filter(({ kind }) => kind === 'profile-changed')
    t.equal(changed.length, 3, 'written down each time, and not when it was refused')
  })

  await t.test('of two at the same moment, one', async (t) => {
    const url = '/v1/tenant/settings/finance'
    const etag = String((await owner('GET', url)).headers['etag'])
    const days = ['2026-06-30', '2026-07-31', '2026-08-31', '2026-09-30']
    const replies = await Promise.all(
      days.map((lockedThrough) => owner('PATCH', url, { lockedThrough }, { 'if-match': etag })),
    )
    t.same(replies.map(({ status }) => status).sort(), [200, 412, 412, 412])
  })
})

t.test('consent is given to what was read, or not', async (t) => {
  const { openBank } = await startBank(t)
  const { owner } = await openBank()
  const url = '/v1/tenant/modules/bank'
  await changeTwice(t, owner, url, {
    method: 'PUT',
    path: `${url}/consent`,
    bodies: [{ http: [] }, { http: hosts }],
  })
  t.match(await owner('GET', url), { body: { module: 'bank', available: true, consent: { http: [] } } })
  t.match(await owner('GET', '/v1/tenant/modules/nothing'), { status: 404 })
})
