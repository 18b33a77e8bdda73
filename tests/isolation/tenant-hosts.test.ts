// Host names and links that name a tenant, and domains of a tenant's own, through a whole kernel, with a real DNS server.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { startDnsServer } from '../support/dns-server.ts'
import { type Reply, testKernel } from '../support/kernel.ts'

const dns = await startDnsServer(t)
const kernel = await testKernel(t, {
  baseDomains: ['erp.example'],
  trustedProxies: ['127.0.0.0/8'],
  dnsServers: [`127.0.0.1:${dns.port}`],
})
const first = await kernel.openTenant('finance')
const second = await kernel.openTenant('finance')

const email = 'both@example.com'
const both = await kernel.signUp(undefined, email)
for (const { owner } of [first, second]) await owner('POST', '/v1/tenant/members', { email, role: 'admin' })

const at = (host: string) => ({ host })
const slug = ({ body, status }: Reply) => body['slug'] ?? body['code'] ?? status
const domainOf = ({ body }: Reply) =>
  body as { domain: string; state: string; record: { name: string; value: string } }

t.test('a subdomain names its tenant for the kernel and for modules', async (t) => {
  t.equal(slug(await both('GET', '/v1/tenant', undefined, at(`${first.slug}.erp.example`))), first.slug)
  const made = await both(
    'POST',
    '/v1/finance/accounts',
    { code: '1000', name: 'Cash', type: 'asset' },
    at(`${second.slug}.erp.example`),
  )
  t.equal(made.status, 201)
  const of = async (tenant: { slug: string }) =>
    (await both('GET', '/v1/finance/accounts', undefined, at(`${tenant.slug}.erp.example`))).body['items']
  t.match(await of(second), [{ code: '1000' }])
  t.same(await of(first), [])
  const unknown = await both('GET', '/v1/tenant', undefined, at('nobody.erp.example'))
  const stranger = await kernel.signUp()
  const known = await stranger('GET', '/v1/tenant', undefined, at(`${first.slug}.erp.example`))
  t.match(unknown, { status: 404, body: { code: 'TENANT_NOT_FOUND' } })
  t.same(
    { ...known.body, requestId: '', detail: '', tenant: '' },
    { ...unknown.body, requestId: '', detail: '', tenant: '' },
    'whether it exists is not told',
  )
})

t.test('two that disagree are refused and named; two that agree are one', async (t) => {
  const host = at(`${first.slug}.erp.example`)
  const answer = await both('GET', '/v1/tenant', undefined, { ...host, 'x-tenant-id': second.slug })
  t.match(answer, { status: 403, body: { code: 'TENANT_MISMATCH', sources: ['host', 'X-Tenant-ID'] } })
  t.match(await both('GET', `/v1/finance/accounts?tenant=${second.id}`, undefined, host), {
    status: 403,
    body: { sources: ['host', '?tenant='] },
  })
  t.equal(slug(await both('GET', '/v1/tenant', undefined, { ...host, 'x-tenant-id': first.id })), first.slug)
  t.equal(
    slug(await both('GET', '/v1/tenant', undefined, { host: 'x.test', 'x-forwarded-host': host.host })),
    first.slug,
    'the proxy on this machine is trusted here',
  )
})

t.test('?tenant= works on lists, and does not open them to other parameters', async (t) => {
  t.match(await both('GET', `/v1/finance/accounts?tenant=${second.slug}&code=1000`), {
    status: 200,
    body: { items: [{ code: '1000' }] },
  })
  t.match(await both('GET', `/v1/tenant/members?tenant=${second.slug}&limit=2`), { status: 200 })
  for (const path of ['/v1/finance/accounts', '/v1/tenant/members'])
    t.match(await both('GET', `${path}?tenant=${second.slug}&tenants=1`), {
      status: 422,
      body: { errors: [{ field: 'tenants' }] },
    })
  t.match(await both('DELETE', `/v1/tenant/modules/finance?tenant=${second.slug}`), {
    status: 422,
    body: { errors: [{ field: 'tenant' }] },
  })
})

t.test('a person chooses the tenant he enters unasked, among his own', async (t) => {
  t.equal(slug(await both('GET', '/v1/tenant')), 'TENANT_REQUIRED')
  t.match(await both('PUT', '/v1/me/default-tenant', { tenant: second.slug }), {
    status: 200,
    body: { tenant: { id: second.id } },
  })
  t.equal(slug(await both('GET', '/v1/tenant')), second.slug)
  t.match(await both('GET', '/v1/me/default-tenant'), { body: { tenant: { slug: second.slug } } })
  for (const tenant of ['no-such-tenant', randomUUID(), (await kernel.openTenant()).slug])
    t.match(await both('PUT', '/v1/me/default-tenant', { tenant }), {
      status: 404,
      body: { code: 'TENANT_NOT_FOUND' },
    })
  t.equal(slug(await both('GET', '/v1/tenant')), second.slug, 'a refusal changes nothing')
  t.match(await both('PUT', '/v1/me/default-tenant', { tenant: 7 }), {
    status: 422,
    body: { errors: [{ field: 'tenant' }] },
  })
  t.match(await both('PUT', '/v1/me/default-tenant', { tenant: null }), { body: { tenant: null } })
  t.equal(slug(await both('GET', '/v1/tenant')), 'TENANT_REQUIRED')
})

t.test('a domain is verified by DNS, once', async (t) => {
  const added = domainOf(
    await first.owner('POST', '/v1/tenant/domains', { domain: 'ERP.Bücher.example.com.' }),
  )
  t.match(added, { domain: 'erp.xn--bcher-kva.example.com', state: 'pending' })
  const { domain } = added
  const verify = (who: typeof first) => who.owner('POST', `/v1/tenant/domains/${domain}/verify`)
  t.match(await verify(first), {
    status: 409,
    body: { code: 'DOMAIN_NOT_VERIFIED', record: added.record.name },
  })
  t.equal(
    slug(await both('GET', '/v1/tenant', undefined, at(domain))),
    'TENANT_REQUIRED',
    'it names nobody yet',
  )
  dns.texts.set(added.record.name, 'SERVFAIL')
  t.match(await verify(first), { status: 409, body: { code: 'DOMAIN_NOT_VERIFIED' } })

  const other = domainOf(await second.owner('POST', '/v1/tenant/domains', { domain }))
  t.not(other.record.value, added.record.value, 'each has a challenge of its own')
  dns.texts.set(added.record.name, ['v=spf1 -all', added.record.value])
  t.match(await verify(second), { status: 409, body: { code: 'DOMAIN_NOT_VERIFIED' } })
  t.match(await verify(first), { status: 200, body: { state: 'verified' } })
  t.equal(slug(await both('GET', '/v1/tenant', undefined, at(domain.toUpperCase()))), first.slug)
  t.match(await both('GET', '/v1/tenant', undefined, { ...at(domain), 'x-tenant-id': second.slug }), {
    status: 403,
    body: { code: 'TENANT_MISMATCH' },
  })

  // Both have their records now: the first keeps it, however many ask at once.
  dns.texts.set(added.record.name, [added.record.value, other.record.value])
  for (const reply of await Promise.all([verify(second), verify(second), verify(first)]))
    t.ok(reply.status === 200 ? reply.body['state'] === 'verified' : reply.body['code'] === 'DOMAIN_TAKEN')
  t.equal(slug(await both('GET', '/v1/tenant', undefined, at(domain))), first.slug)

  // The domain is sold: its record is the buyer's. Three days he waits, in case somebody repairs his DNS.
  dns.texts.set(added.record.name, [other.record.value])
  t.match(await verify(second), { status: 409, body: { code: 'DOMAIN_TAKEN' } })
  t.match(await first.owner('GET', '/v1/tenant/domains'), { body: { items: [{ domain, state: 'failing' }] } })
  await kernel.database.admin.query(
    `update kernel.tenant_domain set failing_since = now() - interval '73 hours' where verified_at is not null`,
  )
  t.match(await verify(second), { status: 200, body: { state: 'verified' } })
  t.equal(slug(await both('GET', '/v1/tenant', undefined, at(domain))), second.slug)
  t.match(await first.owner('GET', '/v1/tenant/domains'), { body: { items: [{ domain, state: 'pending' }] } })

  t.equal((await second.owner('DELETE', `/v1/tenant/domains/${domain}`)).status, 204)
  t.equal(slug(await both('GET', '/v1/tenant', undefined, at(domain))), 'TENANT_REQUIRED')
})

t.test('two that verify a domain at once: one has it', async (t) => {
  const domain = 'race.example.net'
  const records = await Promise.all(
    [first, second].map(async ({ owner }) => domainOf(await owner('POST', '/v1/tenant/domains', { domain }))),
  )
  dns.texts.set(
    `_plinth-challenge.${domain}`,
    records.map(({ record }) => record.value),
  )
  const replies = await Promise.all(
    [first, second].map(({ owner }) => owner('POST', `/v1/tenant/domains/${domain}/verify`)),
  )
  t.same(replies.map(({ status }) => status).sort(), [200, 409])
})

t.test('domains that nobody can have are refused, and so is who may not', async (t) => {
  for (const domain of [
    ...[
      'erp.example',
      'x.erp.example',
      'example',
      'com',
      'co.uk',
      'github.io',
      '127.0.0.1',
      '[::1]',
      '2130706433',
    ],
    ...[
      'localhost',
      'a.internal',
      '*.acme.com',
      'a_b.acme.com',
      '-a.acme.com',
      'a..acme.com',
      'acme.com/x',
      '',
    ],
    ...[`${'a'.repeat(64)}.com`, `${'a.'.repeat(120)}com`, 'acme.com:80', 'a b.com', 'acme.com\u0000'],
  ]) {
    const answer = await first.owner('POST', '/v1/tenant/domains', { domain })
    t.match(answer, { status: 422, body: { errors: [{ field: 'domain' }] } }, domain)
  }
  t.match(await first.owner('POST', '/v1/tenant/domains', { domain: 'race.example.net' }), {
    status: 409,
    body: { code: 'RECORD_CONFLICT' },
  })
  t.match(await first.owner('POST', '/v1/tenant/domains/none.example.net/verify'), {
    status: 404,
    body: { code: 'DOMAIN_NOT_FOUND' },
  })
  const member = await kernel.addMember(first, 'member')
  for (const [method, url, body] of [
    ['GET', '/v1/tenant/domains', undefined],
    ['POST', '/v1/tenant/domains', { domain: 'member.example.net' }],
    ['POST', '/v1/tenant/domains/race.example.net/verify', undefined],
    ['DELETE', '/v1/tenant/domains/race.example.net', undefined],
  ] as const)
    t.match(await member(method, url, body), { status: 403, body: { permission: 'tenant.domains.manage' } })
})
