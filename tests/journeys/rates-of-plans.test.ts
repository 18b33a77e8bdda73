// How often a tenant may ask: what the installation is set to, what its plan says, what the operator has set for it.
import t from 'tap'
import { type Send, sender, testKernel } from '../support/kernel.ts'
import { operatorToken } from '../support/operator.ts'

/** The limits that an answer tells of, by name. */
async function told(send: Send): Promise<Record<string, number>> {
  const { headers } = await send('GET', '/v1/tenant')
  const policies = String(headers['ratelimit-policy']).matchAll(/"(\w+)";q=(\d+);w=60/g)
  return Object.fromEntries([...policies].map(([, name, limit]) => [name, Number(limit)]))
}

t.test('a plan and the operator say how often a tenant may ask', async (t) => {
  const rates = { rateTenant: 5_000, rateUser: 1_000, rateKey: 500 }
  const { kernel, openTenant, signUp } = await testKernel(t, { operatorToken, ...rates })
  const operator = sender(kernel, { authorization: `Bearer ${operatorToken}` })
  const { slug, owner } = await openTenant()
  const other = await openTenant()
  const made = await owner('POST', '/v1/me/keys', { name: 'k', scopes: ['tenant.*'] })
  const program = sender(kernel, { authorization: `Bearer ${made.body['key']}` })
  const url = `/v1/operator/tenants/${slug}/rates`
  const set = (body: object) => operator('PUT', url, body)

  await t.test('as the installation is set, where nobody says anything', async (t) => {
    t.match(await told(program), { tenant: 5_000, user: 1_000, key: 500 })
    t.same((await operator('GET', url)).body, { set: {}, inForce: { tenant: 5_000, user: 1_000, key: 500 } })
  })

  await t.test('as its plan says, from the request after the change of plan', async (t) => {
    t.equal((await operator('PATCH', `/v1/operator/tenants/${slug}`, { plan: 'enterprise' })).status, 200)
    t.match(await told(program), { tenant: 600_000, user: 1_000, key: 240_000 })
    t.match(await told(other.owner), { tenant: 5_000 })
    const { body } = await owner('GET', '/v1/marketplace/plans')
    t.match(
      (body['items'] as { id: string }[]).find(({ id }) => id === 'enterprise'),
      { requestsPerMinute: 600_000, keyRequestsPerMinute: 240_000 },
    )
  })

  await t.test('as the operator says, over the plan, from the next request', async (t) => {
    t.match(await set({ user: 77, tenant: 0 }), {
      status: 200,
      body: { set: { user: 77, tenant: 0 }, inForce: { tenant: 0, user: 77, key: 240_000 } },
    })
    const now = await told(program)
    t.match(now, { user: 77, key: 240_000 })
    t.notOk('tenant' in now, 'any number')
    const { body } = await owner('GET', '/v1/tenant/audit?limit=200')
    const changed = (body['items'] as { entity: string }[]).filter(({ entity }) => entity === 'rates')
    t.match(changed, [{ action: 'changed', after: { user: 77, tenant: 0 } }])
    t.match(await set({ user: -1 }), { status: 422, body: { errors: [{ field: 'user' }] } })
    t.match(await set({ address: 1 }), { status: 422, body: { errors: [{ field: 'address' }] } })
    t.equal((await owner('PUT', url, {})).status, 401)
    t.equal((await operator('GET', '/v1/operator/tenants/nobody/rates')).status, 404)
  })

  await t.test('one tenant that holds its people short does not hold them in another', async (t) => {
    const email = 'both@example.com'
    const both = await signUp(undefined, email)
    for (const tenant of [{ owner }, other])
      await tenant.owner('POST', '/v1/tenant/members', { email, role: 'member' })
    await set({ user: 3 })
    const ask = (tenant: string) => both('GET', '/v1/tenant', undefined, { 'x-tenant-id': tenant })
    const replies = []
    // A minute may end on the way.
    for (let n = 0; n < 8; n += 1) replies.push(await ask(slug))
    t.ok(replies.some(({ body }) => body['code'] === 'RATE_LIMITED' && body['limit'] === 3))
    t.equal((await ask(other.slug)).status, 200)
    await set({})
    t.equal((await ask(slug)).status, 200, 'and it is over with the next request')
    t.match(await told(program), { tenant: 600_000, user: 1_000, key: 240_000 })
  })
})
