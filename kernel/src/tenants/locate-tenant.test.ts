// The one rule, over every mixture of the five ways to name a tenant, on a real directory.
import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import pg from 'pg'
import pino from 'pino'
import t from 'tap'
import { testDatabase } from '../../../tests/support/database.ts'
import { startChangeFeed } from '../data/change-feed.ts'
import { isPlinthError } from '../errors.ts'
import type { Identified } from '../stages.ts'
import { type LocateParts, locateTenant } from './locate-tenant.ts'
import { hostOf, type RequestHead, trustedProxies } from './request-head.ts'
import { createTenantDirectory } from './tenant-directory.ts'
import { createTenantHosts } from './tenant-hosts.ts'

const db = await testDatabase(t)
const pool = new pg.Pool(db.access.kernel)
const feed = await startChangeFeed({ connection: db.access.kernel, log: pino({ level: 'silent' }) })
t.teardown(async () => {
  await feed.close()
  await pool.end()
})

const slugs = ['alpha', 'beta', 'gamma'] as const
const [alpha, beta, gamma] = [
  await db.addTenant('alpha'),
  await db.addTenant('beta'),
  await db.addTenant('gamma'),
]
const ids: Readonly<Record<string, string>> = { alpha, beta, gamma }
for (const tenant of [alpha, beta])
  await db.admin.query(
    `insert into kernel.membership (tenant_id, user_id, role) values ($1, 'ada', 'member')`,
    [tenant],
  )
for (const slug of slugs)
  await db.admin.query(
    `insert into kernel.tenant_domain (tenant_id, domain, challenge, added_by, verified_at)
     values ($1, $2, 'x', 'ada', now())`,
    [ids[slug], `${slug}.example.org`],
  )

const parts: LocateParts = {
  directory: createTenantDirectory(pool, feed),
  hosts: createTenantHosts(pool, feed, ['erp.example', 'xn--bcher-kva.example']),
  isTrusted: trustedProxies(['10.0.0.0/8', '2001:db8::/32']),
}
const ada = (tenantClaim?: string): Identified => ({
  requestId: randomUUID(),
  address: '192.0.2.1',
  actor: { id: 'ada', name: 'Ada', email: 'ada@example.com', session: 's' },
  token: 't',
  credential: 'session',
  ...(tenantClaim === undefined ? {} : { tenantClaim }),
})

const head = (more: Partial<RequestHead>): RequestHead => ({
  method: 'GET',
  url: '/v1/tenant',
  headers: {},
  peer: '192.0.2.1',
  ...more,
})

async function located(claim: string | undefined, one: RequestHead): Promise<string> {
  try {
    return (await locateTenant(parts, ada(claim), one)).tenant.slug
  } catch (error) {
    return isPlinthError(error) ? error.code : String(error)
  }
}

t.test('sources that agree are one, others are refused, whoever they name', async () => {
  const known = fc.constantFrom(...slugs)
  const name = fc.oneof(
    known,
    known.map((slug) => ids[slug] ?? slug),
    fc.constantFrom('nobody', 'no-one'),
  )
  const some = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
  const host = fc.oneof(
    fc
      .constantFrom(...slugs, 'nobody')
      .map((slug) => ({ name: slug, host: `${slug.toUpperCase()}.ERP.example:8443` })),
    known.map((slug) => ({ name: slug, host: `${slug}.example.org.` })),
  )
  const canonical = (given: string) => slugs.find((slug) => ids[slug] === given) ?? given
  await fc.assert(
    fc.asyncProperty(some(host), some(name), some(known), some(name), async (at, header, claim, query) => {
      const named = [at?.name, header, claim, query].filter((one) => one !== undefined).map(canonical)
      const tenants = new Set(named)
      const [only = ''] = tenants
      const expected =
        tenants.size === 0
          ? 'TENANT_REQUIRED'
          : tenants.size > 1
            ? 'TENANT_MISMATCH'
            : only === 'alpha' || only === 'beta'
              ? only
              : 'TENANT_NOT_FOUND'
      const actual = await located(
        claim === undefined ? undefined : ids[claim],
        head({
          headers: {
            ...(at ? { host: at.host } : { host: 'localhost:3000' }),
            ...(header === undefined ? {} : { 'x-tenant-id': header }),
          },
          ...(query === undefined ? {} : { url: `/v1/x?a=1&%74enant=${query}` }),
        }),
      )
      return actual === expected
    }),
    { numRuns: 500 },
  )
})

t.test('a person with several tenants enters the one he chose, when nothing else is named', async (t) => {
  t.equal(await located(undefined, head({})), 'TENANT_REQUIRED')
  await db.admin.query(`insert into kernel.default_tenant (user_id, tenant_id) values ('ada', $1)`, [beta])
  t.equal(await located(undefined, head({})), 'beta')
  t.equal(await located(alpha, head({})), 'alpha', 'a credential that is for one tenant is for that')
  t.equal(
    await located(undefined, head({ headers: { host: 'erp.example' } })),
    'beta',
    'a base domain is nobody’s',
  )
  t.equal(await located(undefined, head({ headers: { host: 'www.erp.example' } })), 'beta')
})

t.test('?tenant= is for links: one, and not on a change', async (t) => {
  t.equal(await located(undefined, head({ method: 'HEAD', url: '/v1/x?tenant=alpha' })), 'alpha')
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'])
    t.equal(await located(alpha, head({ method, url: '/v1/x?tenant=alpha' })), 'VALIDATION_FAILED', method)
  t.equal(await located(undefined, head({ url: '/v1/x?tenant=alpha&tenant=alpha' })), 'VALIDATION_FAILED')
})

t.test('what is said of the host is believed of trusted proxies alone', async (t) => {
  const from = (peer: string | undefined, forwarded: string) =>
    hostOf(head({ peer, headers: { host: 'inner.test', 'x-forwarded-host': forwarded } }), parts.isTrusted)
  t.equal(from('10.1.2.3', 'alpha.erp.example'), 'alpha.erp.example')
  t.equal(from('::ffff:10.1.2.3', 'alpha.erp.example'), 'alpha.erp.example')
  t.equal(from('2001:db8::7', 'alpha.erp.example:443'), 'alpha.erp.example')
  t.equal(
    from('10.1.2.3', 'evil.example, alpha.erp.example'),
    'alpha.erp.example',
    'the nearest proxy’s word',
  )
  for (const peer of ['11.1.2.3', '::1', '2001:db9::1', '', 'nonsense', undefined])
    t.equal(from(peer, 'alpha.erp.example'), 'inner.test', String(peer))
})

t.test('a host that is no name says nothing', async (t) => {
  for (const host of ['127.0.0.1:3000', '[::1]:3000', 'localhost', '', '..', 'a b.example', '1.2.3.4'])
    t.equal(hostOf(head({ headers: { host } }), parts.isTrusted), undefined, host)
  t.equal(await located(undefined, head({ headers: { host: 'a.alpha.erp.example' } })), 'TENANT_NOT_FOUND')
  t.equal(
    await located(undefined, head({ headers: { host: 'notalpha.example.org' } })),
    'beta',
    'somebody’s: nobody’s',
  )
})
