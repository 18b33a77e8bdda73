// Ways to more than one was given, each found by somebody who looked for it: with a part of an owner's rights, by a
// program that is made an owner, by a key that outlives its owner's place, by asking a host whose it is.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { sender, testKernel } from '../support/kernel.ts'

t.test('nobody gets to more than he was given', async (t) => {
  const place = await testKernel(t, { baseDomains: ['plinth.example'] })
  const { kernel, database } = place
  const { owner, slug, id } = await place.openTenant('finance')
  const bearing = (token: unknown) => sender(kernel, { authorization: `Bearer ${String(token)}` })
  const stateNow = async () => (await owner('GET', '/v1/tenant')).body['state']

  await t.test(
    'a key for a part of an owner’s rights neither closes the tenant nor hands it over',
    async (t) => {
      const heir = await place.addMember({ slug, owner }, 'member')
      const heirId = (await heir('GET', '/v1/me')).body['id']
      const userId = (await heir('GET', '/v1/tenant/members')).body['items']
      const scopes = ['tenant.usage.read']
      const { body } = await owner('POST', '/v1/me/keys', { name: 'usage', scopes })
      const { body: token } = await owner('POST', '/v1/auth/token', { tenant: slug, scopes })
      for (const narrow of [bearing(body['key']), bearing(token['accessToken'])]) {
        const asked = [
          ['/v1/tenant/close', { confirm: slug }],
          ['/v1/tenant/reopen', undefined],
          ...(userId as { userId: string }[]).map(
            (one) => ['/v1/tenant/ownership', { userId: one.userId }] as const,
          ),
        ] as const
        for (const [url, input] of asked)
          t.match(await narrow('POST', url, input), { status: 403, body: { code: 'SCOPE_REQUIRED' } }, url)
      }
      const { body: lent } = await owner('POST', '/v1/tenant/delegations', {
        borrower: heirId,
        permissions: ['finance.account.read'],
        endsAt: new Date(Date.now() + 86_400_000).toISOString(),
      })
      const ending = await bearing(body['key'])('DELETE', `/v1/tenant/delegations/${lent['id']}`)
      t.match(ending, { status: 403, body: { code: 'SCOPE_REQUIRED' } })
      t.equal(await stateNow(), 'active')
    },
  )

  await t.test('a program is not made the owner of a tenant', async (t) => {
    const { body } = await owner('POST', '/v1/tenant/service-accounts', { name: 'nightly', role: 'member' })
    t.match(await owner('POST', '/v1/tenant/ownership', { userId: body['id'] }), {
      status: 404,
      body: { code: 'RECORD_NOT_FOUND' },
    })
    t.equal((await owner('GET', '/v1/tenant')).body['role'], 'owner')
  })

  await t.test('a key of a member who was removed does not come back with him', async (t) => {
    const email = `${randomUUID()}@example.com`
    const person = await place.signUp(slug, email)
    const added = await owner('POST', '/v1/tenant/members', { email, role: 'member' })
    const { body } = await person('POST', '/v1/me/keys', { name: 'k', scopes: ['*'] })
    const key = bearing(body['key'])
    t.equal((await key('GET', '/v1/tenant')).status, 200)
    const removed = await owner('DELETE', `/v1/tenant/members/${added.body['userId']}`)
    t.equal(removed.status, 204)
    t.match((await key('GET', '/v1/tenant')).status, /^40[14]$/)
    await owner('POST', '/v1/tenant/members', { email, role: 'admin' })
    t.equal((await person('GET', '/v1/tenant')).status, 200)
    t.equal((await key('GET', '/v1/tenant')).status, 401)
  })

  await t.test('a host does not tell which tenant it is of', async (t) => {
    const domain = `${slug}.com`
    t.equal((await owner('POST', '/v1/tenant/domains', { domain })).status, 201)
    await database.admin.query(
      'update kernel.tenant_domain set verified_at = now(), checked_at = now() where domain = $1',
      [domain],
    )
    const stranger = await place.signUp()
    for (const host of [domain, `${slug}.plinth.example`]) {
      const reply = await stranger('GET', '/v1/tenant', undefined, { host })
      t.match(reply, { status: 404, body: { code: 'TENANT_NOT_FOUND' } })
      t.equal(JSON.stringify([reply.body, reply.headers]).includes(id), false, host)
    }
  })
})
