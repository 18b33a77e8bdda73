// Programs and short-lived tokens: a service account with its keys, and access tokens with their refresh tokens, as a
// client meets them.
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose'
import t from 'tap'
import { createKernel } from '../../kernel/src/kernel.ts'
import { type Reply, type Send, sender, testConfig, testKernel, testLog } from '../support/kernel.ts'
import { operatorOf, operatorToken } from '../support/operator.ts'

const bearing = (token: unknown, tenant?: string) => ({
  authorization: `Bearer ${String(token)}`,
  ...(tenant === undefined ? {} : { 'x-tenant-id': tenant }),
})

t.test('keys and tokens', async (t) => {
  const place = await testKernel(t, { operatorToken, accessTokenSeconds: 60 })
  const { kernel, send, database } = place
  const tenant = await place.openTenant('finance')
  const { owner } = tenant
  const as = (token: unknown, named?: string): Send => sender(kernel, bearing(token, named))
  const serviceAccounts = '/v1/tenant/service-accounts'
  const account = { code: '1000', name: 'Cash', type: 'asset' }
  const auditOf = async (entity: string) =>
    (
      await database.admin.query<{ action: string }>(
        'select action from kernel.audit where tenant_id = $1 and entity = $2 order by id',
        [tenant.id, entity],
      )
    ).rows.map(({ action }) => action)

  await t.test('a service account works through its key, as far as role and scopes let it', async (t) => {
    const made = await owner('POST', serviceAccounts, { name: 'Payroll import', role: 'admin' })
    t.match(made, { status: 201, body: { name: 'Payroll import', role: 'admin', active: true, version: 1 } })
    t.equal(made.headers['etag'], '"1"')
    const url = `${serviceAccounts}/${made.body['id']}`
    t.match(await owner('POST', serviceAccounts, { name: 'payroll IMPORT', role: 'member' }), {
      status: 409,
      body: { code: 'RECORD_CONFLICT' },
    })
    const bad = { name: 'x', scopes: ['tenant.nothing', 'finance.*'], networks: ['10.0.0.0/33'] }
    t.match(await owner('POST', `${url}/keys`, bad), {
      status: 422,
      body: {
        errors: [
          { field: 'scopes.0', code: 'UNKNOWN_PERMISSION' },
          { field: 'networks.0', code: 'INVALID' },
        ],
      },
    })
    const key = await owner('POST', `${url}/keys`, { name: 'nightly', scopes: ['finance.account.*'] })
    t.match(key, { status: 201, headers: { 'cache-control': 'no-store' } })
    t.match(key.body['key'], /^plk_[0-9a-z]{16}_[0-9a-z]{57}$/)
    const program = as(key.body['key'])
    const created = await program('POST', '/v1/finance/accounts', account)
    t.match(created, { status: 201, body: { createdBy: made.body['id'] } })
    t.match(await program('GET', '/v1/finance/journal-entries'), {
      status: 403,
      body: { code: 'SCOPE_REQUIRED', permission: 'finance.journalEntry.read' },
    })
    t.match(await program('GET', '/v1/tenant/members'), { status: 403, body: { code: 'SCOPE_REQUIRED' } })
    t.match(await program('GET', '/v1/tenants'), { status: 200, body: { items: [{ id: tenant.id }] } })
    const list = await owner('GET', `${url}/keys`)
    t.match(list.body, { items: [{ name: 'nightly', scopes: ['finance.account.*'], lastUsedAt: String }] })
    t.notMatch(JSON.stringify(list.body), 'plk_', 'and is shown once')
    t.match(await owner('GET', '/v1/tenant/members'), { body: { items: [{ role: 'owner' }] } }, 'no person')

    const stale = await owner('PATCH', url, { role: 'member' }, { 'if-match': '"7"' })
    t.match(stale, { status: 412, body: { code: 'VERSION_CONFLICT' } })
    t.match(await owner('PATCH', url, { role: 'member' }, { 'if-match': '"1"' }), {
      status: 200,
      body: { role: 'member', version: 2 },
    })
    t.match(
      await program('POST', '/v1/finance/accounts', { ...account, code: '1001' }),
      { status: 403, body: { code: 'FORBIDDEN' } },
      'scopes do not add to the role',
    )
    t.match(await owner('PATCH', url, { active: false }), { status: 200, body: { active: false } })
    t.equal((await program('GET', '/v1/finance/accounts')).status, 401, 'it stops in the next request')
    t.match(await owner('PATCH', url, { active: true, role: 'admin' }), { status: 200 })
    t.equal((await program('GET', '/v1/finance/accounts')).status, 200)
    t.same(await auditOf('serviceAccount'), ['created', 'changed', 'changed', 'changed'])

    await t.test('its key is rotated with an overlap, and revoked', async (t) => {
      const keyUrl = `${url}/keys/${key.body['id']}`
      const both = await Promise.all([
        owner('POST', `${keyUrl}/rotate`, {}),
        owner('POST', `${keyUrl}/rotate`, {}),
      ])
      t.same(both.map(({ status }) => status).sort(), [201, 409], 'once')
      const next = both.find(({ status }) => status === 201)
      t.equal((await program('GET', '/v1/finance/accounts')).status, 200, 'the old one works on')
      t.equal((await as(next?.body['key'])('GET', '/v1/finance/accounts')).status, 200)
      t.equal((await owner('DELETE', keyUrl)).status, 204)
      t.equal((await program('GET', '/v1/finance/accounts')).status, 401)
      t.match(await owner('POST', `${url}/keys/${next?.body['id']}/rotate`, { overlapHours: 0 }), {
        status: 201,
      })
      t.equal((await as(next?.body['key'])('GET', '/v1/finance/accounts')).status, 401)
      t.same(await auditOf('apiKey'), ['created', 'rotated', 'revoked', 'rotated'])
    })
    t.match(await owner('GET', `${serviceAccounts}?limit=1`), {
      body: { items: [{ name: 'Payroll import' }] },
    })
  })

  await t.test('a key of a person has what he has, from where he says', async (t) => {
    const input = { name: 'laptop', scopes: ['*'], networks: ['127.0.0.0/8', '::1'] }
    const key = await owner('POST', '/v1/me/keys', input)
    const mine = as(key.body['key'])
    t.match(await mine('GET', '/v1/tenant/members'), { status: 200 })
    t.match(await mine('POST', '/v1/tenants', { name: 'x', slug: 'x-of-a-key' }), {
      status: 403,
      body: { code: 'PERSON_REQUIRED' },
    })
    t.match(await mine('POST', '/v1/me/keys', input), { status: 403, body: { code: 'PERSON_REQUIRED' } })
    const away = await kernel.inject({
      method: 'GET',
      url: '/v1/tenant',
      headers: bearing(key.body['key']),
      remoteAddress: '192.0.2.7',
    })
    t.match(away.json(), { code: 'KEY_ADDRESS_REFUSED' })
  })

  await t.test('a session becomes an access token that others can verify', async (t) => {
    const got = await owner('POST', '/v1/auth/token', { tenant: tenant.slug })
    t.match(got, { status: 200, body: { tokenType: 'Bearer', expiresIn: 60 } })
    const { accessToken, refreshToken } = got.body
    const { url } = await kernel.listen()
    const published = createRemoteJWKSet(new URL(`${url}/.well-known/jwks.json`))
    const { payload } = await jwtVerify(String(accessToken), published, { algorithms: ['ES256'] })
    t.match(payload, { aud: 'plinth', iss: 'http://localhost:3000', tid: tenant.id, sid: String })
    const short = as(accessToken)
    t.match(
      await short('GET', '/v1/tenant'),
      { status: 200, body: { id: tenant.id } },
      'the token says which',
    )
    t.equal((await short('GET', '/v1/finance/accounts')).status, 200)
    t.match(await short('POST', '/v1/auth/token', {}), { status: 403, body: { code: 'PERSON_REQUIRED' } })

    const next = await send('POST', '/v1/auth/token', { refreshToken })
    t.match(decodeJwt(String(next.body['accessToken'])), { tid: tenant.id }, 'as it was')
    t.match(
      await send('POST', '/v1/auth/token', { refreshToken: next.body['refreshToken'], scopes: ['*'] }),
      {
        status: 422,
        body: { errors: [{ field: 'scopes' }] },
      },
    )
    t.equal((await as(next.body['accessToken'])('POST', '/v1/auth/sign-out')).status, 204)
    t.equal((await short('GET', '/v1/tenant')).status, 401, 'an access token ends with its session')
    t.equal((await owner('GET', '/v1/tenant')).status, 401)
    t.match(await send('POST', '/v1/auth/token', { refreshToken: next.body['refreshToken'] }), {
      status: 401,
    })
    t.match(await send('POST', '/v1/auth/token', {}), { status: 401 })
  })

  await t.test('a second process takes the same tokens, and hears at once when they end', async (t) => {
    const other = await createKernel(testConfig(database.adminUrl, { operatorToken }), testLog)
    t.teardown(() => other.close())
    const elsewhere = (token: unknown): Send => sender(other, bearing(token))
    const person = await place.openTenant()
    const { body } = await person.owner('POST', '/v1/auth/token', {})
    const token = body['accessToken']
    t.equal((await elsewhere(token)('GET', '/v1/tenants')).status, 200)
    const key = await person.owner('POST', '/v1/me/keys', { name: 'k', scopes: ['*'] })
    t.equal((await elsewhere(key.body['key'])('GET', '/v1/tenant')).status, 200)
    t.equal((await person.owner('DELETE', `/v1/me/keys/${key.body['id']}`)).status, 204)
    t.equal((await elsewhere(key.body['key'])('GET', '/v1/tenant')).status, 401)

    const operator = operatorOf(send)
    const keysOf = async () => (await send('GET', '/.well-known/jwks.json')).body['keys'] as { kid: string }[]
    const [before] = await keysOf()
    t.equal((await operator('POST', '/v1/operator/signing-keys', {})).status, 204)
    t.equal((await keysOf()).length, 2, 'the next key is published before it signs')
    const after = await person.owner('POST', '/v1/auth/token', {})
    const header = JSON.parse(
      Buffer.from(String(after.body['accessToken']).split('.')[0] ?? '', 'base64url').toString(),
    )
    t.equal(header.kid, before?.kid)
    t.equal((await elsewhere(token)('GET', '/v1/tenants')).status, 200)
    t.equal((await operator('POST', '/v1/operator/signing-keys', { endOthers: true })).status, 204)
    t.equal(
      (await elsewhere(token)('GET', '/v1/tenants')).status,
      401,
      'what the stolen key signed is nothing',
    )
    t.equal((await send('POST', '/v1/operator/signing-keys', {})).status, 401)
    const fresh: Reply = await person.owner('POST', '/v1/auth/token', {})
    t.equal((await elsewhere(fresh.body['accessToken'])('GET', '/v1/tenants')).status, 200)
    t.equal((await person.owner('POST', '/v1/auth/sign-out')).status, 204)
    t.equal((await elsewhere(fresh.body['accessToken'])('GET', '/v1/tenants')).status, 401)
  })
})
