// What a tenant's identity provider is believed for ends with the tenant's domain, and the cookie of a sign-in comes from
// nowhere else.
import pg from 'pg'
import t from 'tap'
import { startChangeFeed } from '../../kernel/src/data/change-feed.ts'
import { controlTransactions } from '../../kernel/src/tenants/control-transaction.ts'
import { createAskChallenge } from '../../kernel/src/tenants/dns-challenge.ts'
import { createSsoDomains } from '../../kernel/src/tenants/sso/domains.ts'
import { startDnsServer } from '../support/dns-server.ts'
import { signInAt, startIdentityProvider } from '../support/identity-provider.ts'
import { testKernel, testLog } from '../support/kernel.ts'

t.test('a domain of single sign-on', async (t) => {
  const idp = await startIdentityProvider(t)
  const dns = await startDnsServer(t)
  const dnsServers = [`127.0.0.1:${dns.port}`]
  const { kernel, openTenant, database } = await testKernel(t, { plainHosts: [idp.host], dnsServers })
  const [tenant, buyer] = [await openTenant(), await openTenant()]
  const connection = { issuer: idp.issuer, clientId: idp.clientId, clientSecret: idp.clientSecret }
  await tenant.owner('PUT', '/v1/tenant/sso', { ...connection, justInTime: true })
  const url = '/v1/tenant/sso/domains'
  const claim = async ({ owner }: typeof tenant, domain: string) => {
    const { body } = await owner('POST', url, { domain })
    return [String(body['record']), String(body['value'])] as const
  }
  const [record, value] = await claim(tenant, 'sold-works.com')
  dns.texts.set(record, [value])
  t.match(await tenant.owner('POST', `${url}/sold-works.com/verify`), {
    status: 200,
    body: { checkedAt: String },
  })
  const enter = (sub: string) => {
    idp.person = { sub, email: `${sub}@sold-works.com`, email_verified: true, name: sub }
    return signInAt(kernel, `tenant=${tenant.slug}`)
  }
  t.match(await enter('ann'), { status: 200 })

  const pool = new pg.Pool(database.access.kernel)
  t.teardown(() => pool.end())
  const feed = await startChangeFeed({ connection: database.access.kernel, log: testLog })
  t.teardown(() => feed.close())
  const { recheck } = createSsoDomains({
    pool,
    runControl: controlTransactions(pool, feed),
    askChallenge: createAskChallenge(dnsServers),
    log: testLog,
  })
  const later = (column: string, hours: number) =>
    database.admin.query(
      `update kernel.sso_domain set ${column} = now() - make_interval(hours => $1) where verified_at is not null`,
      [hours],
    )

  await t.test('is looked at every twelve hours, and a name server that is ill ends nothing', async (t) => {
    t.equal(await recheck(), 0, 'not yet')
    await later('checked_at', 13)
    dns.texts.set(record, 'SERVFAIL')
    t.equal(await recheck(), 1)
    const { body } = await tenant.owner('GET', url)
    t.same((body['items'] as { failingSince?: string }[])[0]?.failingSince, undefined)
  })

  await t.test(
    'that was sold lets its old tenant vouch for its people for three days, and no longer',
    async (t) => {
      dns.texts.set(record, [])
      await later('checked_at', 13)
      t.equal(await recheck(), 1)
      t.match(await tenant.owner('GET', url), {
        body: { items: [{ failingSince: String, verifiedAt: String }] },
      })
      t.match(await enter('bob'), { status: 200 }, 'somebody repairs his DNS')
      await later('failing_since', 73)
      await later('checked_at', 13)
      t.equal(await recheck(), 1)
      t.match(await enter('eve'), { body: { code: 'SSO_PERSON_REFUSED' } })
      t.equal(await recheck(), 0, 'it is nobody’s')
      const { rows } = await database.admin.query(
        `select record_id, action from kernel.audit where entity = 'singleSignOnDomain' and action = 'lapsed'`,
      )
      t.same(rows, [{ record_id: 'sold-works.com', action: 'lapsed' }])
    },
  )

  await t.test('goes to who can show it, when it was lost for three days', async (t) => {
    const [name, first] = await claim(tenant, 'other-works.com')
    dns.texts.set(name, [first])
    t.equal((await tenant.owner('POST', `${url}/other-works.com/verify`)).status, 200)
    const [, second] = await claim(buyer, 'other-works.com')
    dns.texts.set(name, [second])
    const verify = () => buyer.owner('POST', `${url}/other-works.com/verify`)
    t.match(await verify(), { status: 409, body: { code: 'SSO_DOMAIN_TAKEN' } })
    await later('failing_since', 73)
    t.match(await verify(), { status: 200, body: { verifiedAt: String } })
    const { body } = await tenant.owner('GET', url)
    t.notOk((body['items'] as { verifiedAt?: string }[]).some(({ verifiedAt }) => verifiedAt))
  })
})

t.test('the cookie of a sign-in over https is of this host alone', async (t) => {
  const idp = await startIdentityProvider(t)
  const publicUrl = 'https://erp.example/plinth'
  const { send, openTenant } = await testKernel(t, { plainHosts: [idp.host], publicUrl })
  const { slug, owner } = await openTenant()
  const { issuer, clientId, clientSecret } = idp
  await owner('PUT', '/v1/tenant/sso', { issuer, clientId, clientSecret })
  const begin = async () => {
    const { headers } = await send('GET', `/v1/auth/sso/start?tenant=${slug}`)
    const state = new URL(String(headers['location'])).searchParams.get('state')
    return { state, cookie: String(headers['set-cookie']) }
  }
  /** A sign-in whose cookie comes back by this name. */
  const under = async (name: string) => {
    const { state, cookie } = await begin()
    const value = /=([\w-]{43});/.exec(cookie)?.[1]
    const url = `/v1/auth/sso/callback?code=any&state=${state}&iss=${encodeURIComponent(issuer)}`
    return send('GET', url, undefined, { cookie: `${name}=${value}` })
  }
  const form = /^__Host-plinth_sso=[\w-]{43}; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax; Secure$/
  t.match((await begin()).cookie, form)
  const unknown = { status: 400, body: { code: 'SSO_FLOW_UNKNOWN' } }
  t.match(await under('plinth_sso'), unknown, 'planted by a neighbour')
  t.match(await under('__Secure-plinth_sso'), unknown)
  t.match(await under('__Host-plinth_sso'), { body: { code: 'SSO_FAILED' } }, 'its own: the code is no good')
})
