// Single sign-on with a real identity provider, from its setting up to the day somebody leaves a group.
import t from 'tap'
import { cookieOf } from '../support/cookie-of.ts'
import { startDnsServer } from '../support/dns-server.ts'
import { publicUrl, signInAt, startIdentityProvider, walkBack } from '../support/identity-provider.ts'
import { type Reply, type Send, sender, testKernel } from '../support/kernel.ts'

t.test('single sign-on', async (t) => {
  const idp = await startIdentityProvider(t)
  const dns = await startDnsServer(t)
  const { kernel, send, signUp, openTenant, database } = await testKernel(t, {
    plainHosts: [idp.host],
    dnsServers: [`127.0.0.1:${dns.port}`],
  })
  const tenant = await openTenant('finance')
  const other = await openTenant()
  const { owner } = tenant
  const connection = { issuer: idp.issuer, clientId: idp.clientId, clientSecret: idp.clientSecret }
  const as = (reply: Reply, named?: string): Send =>
    sender(kernel, {
      authorization: `Bearer ${String(reply.body['token'])}`,
      ...(named === undefined ? {} : { 'x-tenant-id': named }),
    })
  const rolesOf = async () => {
    const { rows } = await database.admin.query<{ email: string; role: string }>(
      `select u.email, m.role from kernel.membership m join identity."user" u on u.id = m.user_id
        where m.tenant_id = $1 and m.role <> 'owner' order by u.email`,
      [tenant.id],
    )
    return rows.map(({ email, role }) => `${email} ${role}`)
  }

  await t.test('is set up by an admin, with a provider that answers', async (t) => {
    t.match(await owner('GET', '/v1/tenant/sso'), { status: 404, body: { code: 'SSO_NOT_CONFIGURED' } })
    t.match(await owner('PUT', '/v1/tenant/sso', { ...connection, issuer: 'https://no.such.host.example' }), {
      status: 422,
      body: { code: 'SSO_ISSUER_REFUSED' },
    })
    const set = await owner('PUT', '/v1/tenant/sso', connection)
    t.match(set, { status: 200, body: { version: 1, enforced: false, justInTime: false } })
    t.equal(set.body['redirectUri'], `${publicUrl}/v1/auth/sso/callback`)
    t.notMatch(JSON.stringify((await owner('GET', '/v1/tenant/sso')).body), idp.clientSecret)
    const { clientSecret: _, ...unchanged } = connection
    const change = { ...unchanged, justInTime: true, groupClaim: 'groups', groupRoles: { bosses: 'admin' } }
    t.match(await owner('PUT', '/v1/tenant/sso', change, { 'if-match': '"7"' }), { status: 412 })
    t.match(await owner('PUT', '/v1/tenant/sso', change, { 'if-match': '"1"' }), {
      status: 200,
      body: { version: 2, groupRoles: { bosses: 'admin' } },
    })
    const member = await signUp(tenant.slug, 'member@example.com')
    await owner('POST', '/v1/tenant/members', { email: 'member@example.com', role: 'member' })
    t.match(await member('GET', '/v1/tenant/sso'), { status: 403, body: { code: 'FORBIDDEN' } })
  })

  await t.test('a domain is captured by who can show that it is his, and by one', async (t) => {
    t.equal((await send('GET', '/v1/auth/sso/start?email=ann@acme-works.com')).status, 404)
    const domains = '/v1/tenant/sso/domains'
    t.equal((await owner('POST', domains, { domain: 'co.uk' })).status, 422)
    const added = await owner('POST', domains, { domain: 'Acme-Works.com' })
    t.match(added, { status: 201, body: { domain: 'acme-works.com', value: /^plinth-sso=[0-9a-f]{40}$/ } })
    const theirs = await other.owner('POST', domains, { domain: 'acme-works.com' })
    t.match(await owner('POST', `${domains}/acme-works.com/verify`), {
      status: 409,
      body: { code: 'SSO_DOMAIN_NOT_VERIFIED' },
    })
    idp.person = { sub: 'ann', email: 'ann@acme-works.com', email_verified: true, name: 'Ann' }
    t.match(
      await signInAt(kernel, `tenant=${tenant.slug}`),
      { body: { code: 'SSO_PERSON_REFUSED' } },
      'not yet',
    )
    const record = String(added.body['record'])
    dns.texts.set(record, [String(added.body['value']), String(theirs.body['value'])])
    t.match(await owner('POST', `${domains}/acme-works.com/verify`), {
      status: 200,
      body: { verifiedAt: String },
    })
    t.match(await other.owner('POST', `${domains}/acme-works.com/verify`), {
      status: 409,
      body: { code: 'SSO_DOMAIN_TAKEN' },
    })
    t.match(await owner('GET', domains), { body: { items: [{ domain: 'acme-works.com' }] } })
  })

  await t.test('its people come in by their address, with the role of their groups', async (t) => {
    const came = await signInAt(kernel, 'email=ann@acme-works.com')
    t.match(came, { status: 200, body: { user: { email: 'ann@acme-works.com', name: 'Ann' } } })
    const ann = as(came)
    t.match(
      await ann('GET', '/v1/tenant'),
      { body: { id: tenant.id, role: 'member' } },
      'no header is needed',
    )
    t.match(await ann('GET', '/v1/tenants'), { body: { items: [{ id: tenant.id }] } })
    t.match(await ann('GET', '/v1/tenant', undefined, { 'x-tenant-id': other.slug }), {
      status: 403,
      body: { code: 'TENANT_MISMATCH' },
    })
    const short = await ann('POST', '/v1/auth/token', {})
    t.match(await as({ ...short, body: { token: short.body['accessToken'] ?? '' } })('GET', '/v1/tenant'), {
      body: { id: tenant.id },
    })
    idp.person = { ...idp.person, groups: ['staff', 'bosses'] } as typeof idp.person
    await signInAt(kernel, 'email=ann@acme-works.com')
    t.same(await rolesOf(), ['ann@acme-works.com admin', 'member@example.com member'])
    const ofAnn = idp.person
    idp.person = { sub: 'twice', email: 'twice@acme-works.com', email_verified: true }
    const both = await Promise.all([1, 2].map(() => signInAt(kernel, 'email=twice@acme-works.com')))
    t.match(both, [{ status: 200 }, { status: 200 }])
    t.strictSame(both[0]?.body['user'], both[1]?.body['user'], 'two first sign-ins at once make one person')
    idp.person = ofAnn
    t.match(await ann('GET', '/v1/tenant'), { body: { role: 'admin' } }, 'in the session before too')
    idp.person = { ...idp.person, groups: ['staff'] } as typeof idp.person
    const left = await signInAt(kernel, 'email=ann@acme-works.com')
    t.equal((await rolesOf())[0], 'ann@acme-works.com member')
    t.equal((await as(left)('POST', '/v1/auth/sign-out')).status, 204)
    t.equal((await as(left)('GET', '/v1/tenant')).status, 401)
    const members = await owner('GET', '/v1/tenant/members')
    const found = members.body['items'] as { userId: string; email: string }[]
    const path = `/v1/tenant/members/${found.find(({ email }) => email.startsWith('ann@'))?.userId}`
    t.match(await owner('PATCH', path, { active: false }), { status: 200, body: { active: false } })
    const refused = await signInAt(kernel, 'email=ann@acme-works.com')
    t.match(refused, { body: { code: 'SSO_PERSON_REFUSED' } }, 'deactivated is deactivated')
    t.same(await rolesOf(), ['member@example.com member', 'twice@acme-works.com member'])
    t.match(await owner('PATCH', path, { active: true }), { status: 200 })
    t.match(await signInAt(kernel, 'email=ann@acme-works.com'), { status: 200 })
  })

  await t.test('a client gets its session with a ticket, once', async (t) => {
    const started = await kernel.inject({
      method: 'GET',
      url: `/v1/auth/sso/start?tenant=${tenant.slug}&returnTo=${encodeURIComponent('/home?x=1')}`,
    })
    const back = await walkBack(String(started.headers.location))
    const cookie = cookieOf(started.headers)
    const url = back.pathname + back.search
    const landed = await kernel.inject({ method: 'GET', url, headers: { cookie } })
    t.equal(landed.statusCode, 302)
    const home = new URL(String(landed.headers.location))
    t.equal(home.origin + home.pathname, `${publicUrl}/home`)
    const ticket = home.searchParams.get('sso_ticket')
    const session = await send('POST', '/v1/auth/sso/session', { ticket })
    t.match(await as(session)('GET', '/v1/tenant'), { status: 200 })
    t.match(await send('POST', '/v1/auth/sso/session', { ticket }), { body: { code: 'SSO_FLOW_UNKNOWN' } })
  })

  await t.test("the tenant's directory keeps its people in step (SCIM)", async (t) => {
    const programOf = async (by: Send, scopes: string[]): Promise<Send> => {
      const account = await by('POST', '/v1/tenant/service-accounts', { name: scopes.join(), role: 'admin' })
      const url = `/v1/tenant/service-accounts/${account.body['id']}/keys`
      const { body } = await by('POST', url, { name: 'scim', scopes })
      const type = { 'content-type': 'application/scim+json' }
      return sender(kernel, { authorization: `Bearer ${String(body['key'])}`, ...type })
    }
    const scim = await programOf(owner, ['tenant.members.manage'])
    const users = '/scim/v2/Users'
    const schemas = ['urn:ietf:params:scim:schemas:core:2.0:User']
    const input = {
      schemas,
      userName: 'Sam@Acme-Works.com',
      externalId: 'e1',
      name: { givenName: 'Sam', familyName: 'Low' },
    }
    const made = await scim('POST', users, JSON.stringify(input))
    t.match(made, {
      status: 201,
      headers: { 'content-type': 'application/scim+json; charset=utf-8' },
      body: { userName: 'sam@acme-works.com', displayName: 'Sam Low', active: true, externalId: 'e1' },
    })
    t.match(await scim('POST', users, JSON.stringify(input)), {
      status: 409,
      body: {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
        status: '409',
        scimType: 'uniqueness',
      },
    })
    t.match(await scim('POST', users, JSON.stringify({ ...input, userName: 'sam@example.com' })), {
      status: 400,
    })
    const one = `${users}/${made.body['id']}`
    const filter = encodeURIComponent('userName eq "sam@acme-works.com"')
    t.match(await scim('GET', `${users}?filter=${filter}`), {
      body: { totalResults: 1, Resources: [{ externalId: 'e1' }] },
    })
    t.match(await scim('GET', `${users}?filter=title%20pr`), {
      status: 400,
      body: { scimType: 'invalidValue' },
    })
    t.match(await scim('GET', `${users}?startIndex=2&count=1`), { body: { startIndex: 2, itemsPerPage: 1 } })

    idp.person = { sub: 'sam', email: 'sam@acme-works.com', email_verified: true }
    const sam = as(await signInAt(kernel, 'email=sam@acme-works.com'))
    t.match(await sam('GET', '/v1/tenant'), { body: { role: 'member' } })
    const operation = (value: unknown) =>
      JSON.stringify({ Operations: [{ op: 'Replace', path: 'active', value }] })
    t.match(await scim('PATCH', one, operation('False')), { status: 200, body: { active: false } })
    t.equal((await sam('GET', '/v1/tenant')).status, 404, 'he is out in the next request')
    t.match(await signInAt(kernel, 'email=sam@acme-works.com'), { status: 403 })
    t.match(await scim('PUT', one, JSON.stringify({ ...input, active: true })), { body: { active: true } })
    t.equal((await sam('GET', '/v1/tenant')).status, 200)
    t.match(await scim('PUT', one, JSON.stringify({ ...input, userName: 'x@acme-works.com' })), {
      status: 400,
    })

    const { body: others } = await (await programOf(other.owner, ['*']))('GET', users)
    t.match(others, { totalResults: 0 }, 'another tenant sees nobody')
    t.equal((await (await programOf(other.owner, ['tenant.*']))('DELETE', one)).status, 404)
    t.equal((await (await programOf(owner, ['finance.*']))('GET', users)).status, 403)
    await database.admin.query(
      "update kernel.membership set role = 'owner' where tenant_id = $1 and user_id = $2",
      [tenant.id, made.body['id']],
    )
    t.equal((await scim('DELETE', one)).status, 403, 'an owner is out of its reach')
    await database.admin.query(
      "update kernel.membership set role = 'member' where tenant_id = $1 and user_id = $2",
      [tenant.id, made.body['id']],
    )
    const made1 = await sam('POST', '/v1/me/keys', { name: 'mine', scopes: ['*'] })
    const key = sender(kernel, { authorization: `Bearer ${String(made1.body['key'])}` })
    t.equal((await key('GET', '/v1/tenant')).status, 200)
    t.equal((await scim('DELETE', one)).status, 204)
    t.equal((await scim('GET', one)).status, 404)
    t.equal((await sam('GET', '/v1/tenant')).status, 404)
    t.equal((await scim('POST', users, JSON.stringify(input))).status, 201)
    t.equal((await sam('GET', '/v1/tenant')).status, 200)
    t.equal((await key('GET', '/v1/tenant')).status, 401, 'his keys do not come back with him')
    t.equal((await scim('DELETE', one)).status, 204)
  })

  await t.test(
    'what a provider takes away from an account that nobody confirmed is written down',
    async (t) => {
      const email = 'early@acme-works.com'
      const squatter = await signUp(undefined, email)
      idp.person = { sub: 'early', email, email_verified: true }
      const came = await signInAt(kernel, `email=${email}`)
      t.equal((await squatter('GET', '/v1/me')).status, 401)
      const { rows } = await database.admin.query(
        'select kind, detail from identity.event where user_id = $1 order by id',
        [(came.body['user'] as { id: string }).id],
      )
      t.match(rows, [
        { kind: 'signed-up' },
        { kind: 'credentials-removed', detail: { by: 'single sign-on', tenant: tenant.id, sessions: 1 } },
        { kind: 'signed-in' },
      ])
    },
  )

  await t.test('is required where the tenant says so, but of owners and keys', async (t) => {
    const email = 'zoe@acme-works.com'
    const zoe = await signUp(tenant.slug, email)
    await owner('POST', '/v1/tenant/members', { email, role: 'admin' })
    const { body: key } = await zoe('POST', '/v1/me/keys', { name: 'k', scopes: ['*'] })
    t.equal((await zoe('GET', '/v1/tenant')).status, 200)
    const { clientSecret: _, ...rest } = connection
    await owner('PUT', '/v1/tenant/sso', { ...rest, enforced: true })
    t.match(
      await zoe('GET', '/v1/tenant'),
      { status: 403, body: { code: 'SSO_REQUIRED' } },
      'in the next request',
    )
    t.match(await zoe('GET', '/v1/finance/accounts'), { status: 403, body: { code: 'SSO_REQUIRED' } })
    t.equal(
      (await as({ ...(await send('GET', '/')), body: { token: key['key'] ?? '' } })('GET', '/v1/tenant'))
        .status,
      200,
    )
    t.equal((await owner('GET', '/v1/tenant')).status, 200)
    idp.person = { sub: 'zoe', email, email_verified: true }
    t.match(await as(await signInAt(kernel, `email=${email}`))('GET', '/v1/tenant'), {
      body: { role: 'admin' },
    })
    t.same(
      (await rolesOf()).at(-1),
      `${email} admin`,
      'who was taken in by hand keeps his role without groups',
    )
    idp.person = { sub: 'new', email: 'new@acme-works.com', email_verified: true }
    t.match(
      await signInAt(kernel, `tenant=${tenant.slug}`),
      {
        status: 403,
        body: { code: 'SSO_PERSON_REFUSED' },
      },
      'justInTime is off again',
    )
    const { rows } = await database.admin.query<{ id: string }>(
      'select id from identity."user" where email = $1',
      [email],
    )
    const setActive = (active: boolean) => owner('PATCH', `/v1/tenant/members/${rows[0]?.id}`, { active })
    idp.person = { sub: 'zoe', email, email_verified: true }
    await setActive(false)
    t.match(await signInAt(kernel, `email=${email}`), { status: 403, body: { code: 'SSO_PERSON_REFUSED' } })
    await setActive(true)
    await database.admin.query(
      `insert into identity.person (user_id, disabled_at)
       select id, now() from identity."user" where email = $1
           on conflict (user_id) do update set disabled_at = now()`,
      [email],
    )
    idp.person = { sub: 'zoe', email, email_verified: true }
    t.match(await signInAt(kernel, `email=${email}`), { status: 403, body: { code: 'PERSON_DISABLED' } })
    // Which is heard after what was told before it.
    await owner('DELETE', '/v1/tenant/sso')
    const withKey = sender(kernel, { authorization: `Bearer ${String(key['key'])}` })
    t.equal((await withKey('GET', '/v1/tenant')).status, 401, 'nor does the key of a disabled person work')
    await database.admin.query('delete from identity.person')
    t.equal((await zoe('GET', '/v1/tenant')).status, 200)
    t.equal((await send('GET', `/v1/auth/sso/start?email=${email}`)).status, 404)
  })
})
