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
    t.match(await ann('GET', '/v1/tenant'), { body: { role: 'admin' } }, 'in the session before too')
    idp.person = { ...idp.person, groups: ['staff'] } as typeof idp.person
    const left = await signInAt(kernel, 'email=ann@acme-works.com')
    t.same(await rolesOf(), ['ann@acme-works.com member', 'member@example.com member'])
    t.equal((await as(left)('POST', '/v1/auth/sign-out')).status, 204)
    t.equal((await as(left)('GET', '/v1/tenant')).status, 401)
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
