// Every POST of the kernel's own API, sent twice with one Idempotency-Key: the answer is written by the transaction that
// makes the change, or the route stands in hygiene/kept-behind.ts with the reason.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { keptBehind } from '../../kernel/src/http/hygiene/kept-behind.ts'
import { codeOf } from '../support/authenticator.ts'
import { startDnsServer } from '../support/dns-server.ts'
import { startIdentityProvider } from '../support/identity-provider.ts'
import { makeInstallation } from '../support/installation.ts'
import { type Reply, type Send, sender, testKernel } from '../support/kernel.ts'
import { operatorToken } from '../support/operator.ts'
import { startSmtpServer } from '../support/smtp-server.ts'

const source = `
import { definePlugin, entity, t } from '@plinth/sdk'
const order = entity('Order', { total: t.money(), state: t.state({ draft: ['sent'], sent: [] }) })
export default definePlugin({
  name: 'orders', title: 'Orders', needs: { approvals: true }, entities: { order },
  jobs: { close: { run: () => undefined } },
  actions: { order: { send: { to: 'sent', approval: { amount: 'total' } } } },
  roles: { member: { can: ['order.*'] } },
})`
const accountPassword = 'correct horse battery'
const shown = ({ status, text, headers }: Reply) => ({
  status,
  text,
  location: headers['location'],
  etag: headers['etag'],
  type: headers['content-type'],
})

t.test('the answer to every POST of the kernel commits with what it did', async (t) => {
  const mailbox = await startSmtpServer(t)
  const dns = await startDnsServer(t)
  const idp = await startIdentityProvider(t)
  const lab = await testKernel(t, {
    pluginsRoot: await makeInstallation(t, { '@test/orders': { source } }),
    smtpUrl: mailbox.url,
    plainHosts: [idp.host],
    dnsServers: [`127.0.0.1:${dns.port}`],
    operatorToken,
  })
  const { database, openTenant, signUp } = lab
  const tenant = await openTenant('orders')
  const { owner } = tenant
  const operator = sender(lab.kernel, { authorization: `Bearer ${operatorToken}` })
  const other = await openTenant()
  const emails = Array.from({ length: 4 }, () => `${randomUUID()}@example.com`)
  const people = await Promise.all(emails.map((email) => signUp(tenant.slug, email)))
  const idOf = async (send: Send) => String((await send('GET', '/v1/me')).body['id'])
  const [memberId = '', heirId = '', strangerId = ''] = await Promise.all(people.map(idOf))
  for (const email of emails.slice(1, 2)) await owner('POST', '/v1/tenant/members', { email, role: 'admin' })
  const role = { name: 'R', rules: [{ permission: 'orders.order.read', effect: 'allow' }] }
  const roleId = String((await owner('POST', '/v1/tenant/roles', { ...role, name: 'Q' })).body['id'])
  const account = await owner('POST', '/v1/tenant/service-accounts', { name: 'one', role: 'admin' })
  const keys = `/v1/tenant/service-accounts/${account.body['id']}/keys`
  const program = await owner('POST', keys, { name: 'scim', scopes: ['*'] })
  const scim = sender(lab.kernel, {
    authorization: `Bearer ${program.body['key']}`,
    'content-type': 'application/scim+json',
  })
  const keyOf = async (url: string) =>
    String((await owner('POST', url, { name: 'k', scopes: ['orders.*'] })).body['id'])
  const invited = await owner('POST', '/v1/tenant/invitations', { email: 'i@example.com', role: 'member' })
  const { issuer, clientId, clientSecret } = idp
  await owner('PUT', '/v1/tenant/sso', { issuer, clientId, clientSecret })
  const scimDomain = await owner('POST', '/v1/tenant/sso/domains', { domain: 'people-of-works.com' })
  const domain = await owner('POST', '/v1/tenant/domains', { domain: 'erp.works.com' })
  const record = domain.body['record'] as { name: string; value: string }
  dns.texts.set(String(scimDomain.body['record']), [String(scimDomain.body['value'])])
  dns.texts.set(record.name, [record.value])
  const companyOf = (owner?: object) => {
    const slug = `t-${randomUUID().slice(0, 8)}`
    return { name: slug, slug, ...(owner ? { owner } : {}) }
  }
  const made = await operator('POST', '/v1/operator/tenants', companyOf({ email: emails[0] }))
  const ended = `/v1/operator/tenants/${made.body['slug']}`
  const ownerless = await operator('POST', '/v1/operator/tenants', companyOf({ email: 'o@example.com' }))
  const chain = {
    code: 'c',
    title: 'C',
    module: 'orders',
    entity: 'order',
    action: 'send',
    steps: [{ title: 'One', approvers: [{ role: 'admin' }], need: 1 }],
  }
  const { rows: tasks } = await database.admin.query<{ id: string }>(
    `insert into kernel.task (tenant_id, kind, queue, module, name, state, attempts_max, actor, request_id, run_at)
     select $1, 'job', 'jobs.orders', 'orders', 'close', state, 1, 'somebody', 'r', now() + interval '1 day'
       from unnest(array['dead', 'dead', 'waiting', 'dead', 'dead']) as state returning id::text`,
    [tenant.id],
  )
  const [retried, discarded, cancelled, again] = tasks.map(({ id }) => id)
  const task = `/v1/operator/tasks/${tenant.slug}`
  const hook = await owner('POST', '/v1/tenant/webhooks', { url: 'https://a.example.com/x', events: ['*'] })
  const webhook = `/v1/tenant/webhooks/${hook.body['id']}`
  const told = await owner('POST', `${webhook}/test`, {})
  const soon = new Date(Date.now() + 86_400_000).toISOString()

  const secret = new Set([
    '/v1/me/keys',
    '/v1/tenant/service-accounts/{id}/keys',
    '/v1/tenant/webhooks',
    '/v1/tenant/webhooks/{id}/rotate-secret',
  ])
  const asked: readonly (readonly [route: string, send: Send, body?: unknown, url?: string])[] = [
    ['/v1/tenants', owner, companyOf()],
    ['/v1/tenant/members', owner, { email: emails[0], role: 'member' }],
    ['/v1/tenant/roles', owner, role],
    ['/v1/tenant/members/{userId}/roles', owner, { role: roleId }, `/v1/tenant/members/${memberId}/roles`],
    [
      '/v1/tenant/delegations',
      owner,
      { borrower: memberId, permissions: ['orders.order.read'], endsAt: soon },
    ],
    [
      '/v1/tenant/duties',
      owner,
      { title: 'D', first: 'orders.order.update', second: 'orders.order.delete', within: 'record' },
    ],
    ['/v1/tenant/approval-chains', owner, chain],
    ['/v1/tenant/absences', owner, { substitute: memberId, from: '2026-01-01', to: '2026-01-02' }],
    ['/v1/tenant/invitations', owner, { email: 'j@example.com', role: 'member' }],
    [
      '/v1/tenant/invitations/{id}/resend',
      owner,
      undefined,
      `/v1/tenant/invitations/${invited.body['id']}/resend`,
    ],
    ['/v1/tenant/service-accounts', owner, { name: 'two', role: 'member' }],
    ['/v1/tenant/service-accounts/{id}/keys', owner, { name: 'k', scopes: ['orders.*'] }, keys],
    ['/v1/tenant/service-accounts/{id}/keys/{key}/rotate', owner, {}, `${keys}/${await keyOf(keys)}/rotate`],
    ['/v1/me/keys', owner, { name: 'k', scopes: ['orders.*'] }],
    ['/v1/me/keys/{key}/rotate', owner, {}, `/v1/me/keys/${await keyOf('/v1/me/keys')}/rotate`],
    ['/v1/tenant/domains', owner, { domain: 'other.works.com' }],
    ['/v1/tenant/domains/{domain}/verify', owner, undefined, '/v1/tenant/domains/erp.works.com/verify'],
    ['/v1/tenant/sso/domains', owner, { domain: 'more-works.com' }],
    [
      '/v1/tenant/sso/domains/{domain}/verify',
      owner,
      undefined,
      '/v1/tenant/sso/domains/people-of-works.com/verify',
    ],
    ['/scim/v2/Users', scim, JSON.stringify({ schemas: [], userName: 'sam@people-of-works.com' })],
    [
      '/scim/v2/Groups',
      scim,
      JSON.stringify({
        schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
        displayName: 'Ledger',
      }),
    ],
    // Nothing of it is to begin while this looks.
    ['/v1/operator/pauses', operator, { tenant: tenant.slug }],
    ['/v1/operator/tasks/{tenant}/{id}/retry', operator, undefined, `${task}/${retried}/retry`],
    ['/v1/operator/tasks/{tenant}/{id}/discard', operator, undefined, `${task}/${discarded}/discard`],
    ['/v1/tenant/jobs/{id}/cancel', owner, undefined, `/v1/tenant/jobs/${cancelled}/cancel`],
    ['/v1/tenant/jobs/{id}/retry', owner, undefined, `/v1/tenant/jobs/${again}/retry`],
    ['/v1/operator/tasks/retry', operator, { tenant: tenant.slug }],
    ['/v1/operator/tasks/discard', operator, { tenant: tenant.slug }],
    ['/v1/tenant/modules/{module}/jobs/{job}', owner, {}, '/v1/tenant/modules/orders/jobs/close'],
    ['/v1/tenant/webhooks', owner, { url: 'https://b.example.com/x', events: ['*'] }],
    ['/v1/tenant/webhooks/{id}/rotate-secret', owner, undefined, `${webhook}/rotate-secret`],
    ['/v1/tenant/webhooks/{id}/enable', owner, undefined, `${webhook}/enable`],
    ['/v1/tenant/webhooks/{id}/test', owner, undefined, `${webhook}/test`],
    [
      '/v1/tenant/webhooks/{id}/deliveries/{delivery}/replay',
      owner,
      undefined,
      `${webhook}/deliveries/${told.body['id']}/replay`,
    ],
    ['/v1/tenant/webhooks/{id}/replay', owner, { from: '2026-01-01T00:00:00Z' }, `${webhook}/replay`],
    ['/v1/operator/people/{userId}/disable', operator, {}, `/v1/operator/people/${strangerId}/disable`],
    ['/v1/operator/people/{userId}/enable', operator, undefined, `/v1/operator/people/${strangerId}/enable`],
    [
      '/v1/operator/people/{userId}/remove-factors',
      operator,
      undefined,
      `/v1/operator/people/${strangerId}/remove-factors`,
    ],
    ['/v1/operator/signing-keys', operator, {}],
    ['/v1/operator/tenants', operator, companyOf({ email: emails[3] })],
    [
      '/v1/operator/tenants/{tenant}/owner',
      operator,
      { email: 'p@example.com' },
      `/v1/operator/tenants/${ownerless.body['slug']}/owner`,
    ],
    ['/v1/operator/tenants/{tenant}/close', operator, {}, `${ended}/close`],
    ['/v1/operator/tenants/{tenant}/reopen', operator, undefined, `${ended}/reopen`],
    ['/v1/tenant/close', other.owner, { confirm: other.slug }],
    ['/v1/tenant/reopen', other.owner],
    ['/v1/tenant/modules', other.owner, { module: 'orders' }],
    ['/v1/tenant/ownership', owner, { userId: heirId }],
    // Behind another closing of its own.
    ['/v1/operator/tenants/{tenant}/close', operator, { days: 5 }, `${ended}/close`],
    ['/v1/operator/tenants/{tenant}/erase', operator, { confirm: made.body['slug'] }, `${ended}/erase`],
  ]

  const document = await other.owner('GET', '/openapi.json')
  const paths = Object.entries(document.body['paths'] as Record<string, { post?: Record<string, unknown> }>)
  const posts = paths.flatMap(([path, { post }]) =>
    post && !path.startsWith('/v1/auth/') && !path.startsWith('/v1/orders/')
      ? [{ path, isKept: post['x-answer-kept'] === 'with the change' }]
      : [],
  )
  t.same(
    posts
      .filter(({ isKept }) => !isKept)
      .map(({ path }) => path)
      .toSorted(),
    Object.keys(keptBehind).toSorted(),
    'what is kept behind the change is listed, with the reason',
  )
  t.same(
    posts
      .filter(({ isKept }) => isKept)
      .map(({ path }) => path)
      .toSorted(),
    [...new Set(asked.map(([route]) => route))].toSorted(),
    'and everything else is asked here',
  )

  for (const [route, send, body, url = route] of asked) {
    await t.test(`POST ${url === route ? route : url.replaceAll(/[\w-]{30,}/g, '…')}`, async (t) => {
      const key = randomUUID()
      const headers = { 'idempotency-key': key }
      const first = await send('POST', url, body, headers)
      t.ok(first.status < 300, `${first.status} ${first.text}`)
      const { rows } = await database.admin.query(
        `select r.xmin = a.xmin as is_one, a.is_whole, a.body from kernel.idempotent_request r
           left join kernel.idempotent_answer a using (tenant_id, actor, route, key) where r.key = $1`,
        [key],
      )
      t.match(rows, [{ is_one: true }], 'one transaction wrote claim and answer')
      const again = await send('POST', url, body, headers)
      if (rows[0]?.is_whole) {
        t.same(shown(again), shown(first))
        t.equal(again.headers['idempotent-replayed'], 'true')
      } else {
        t.ok(secret.has(route.replace('/{key}/rotate', '')), 'it is a secret')
        t.match(again, { status: 409, body: { code: 'IDEMPOTENCY_ANSWER_GONE' } })
        t.notOk(rows[0]?.body)
      }
    })
  }

  await t.test('no answer is kept that holds a secret', async (t) => {
    const person = await signUp()
    const key = () => ({ 'idempotency-key': randomUUID() })
    const begun = await person('POST', '/v1/me/totp', { password: accountPassword }, key())
    const code = codeOf(String(begun.body['uri']))
    const confirmed = await person('POST', '/v1/me/totp/confirm', { code }, key())
    t.same([begun.status, confirmed.status], [200, 200])
    const secrets = [...(begun.body['recoveryCodes'] as string[]), String(confirmed.body['token'])]
    const { rows } = await database.admin.query('select body from kernel.idempotent_answer')
    for (const one of secrets) t.notMatch(JSON.stringify(rows), one)
  })
})
