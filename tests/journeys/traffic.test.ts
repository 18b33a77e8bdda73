// What every answer says beside its body, and who is turned away before anything is done: headers for browsers, origins,
// rates, and a process that cannot keep up.
import { connect } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { type Reply, type Send, testKernel } from '../support/kernel.ts'

const advised = {
  'content-security-policy': "default-src 'none';frame-ancestors 'none';base-uri 'none';form-action 'none'",
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
}

t.test('every answer has the headers for browsers', async (t) => {
  const { kernel, send, openTenant } = await testKernel(t)
  const { owner } = await openTenant('finance')
  const replies = await Promise.all([
    send('GET', '/health/live'),
    send('GET', '/nowhere'),
    send('GET', '/%zz'),
    send('GET', '/v1/tenant'),
    owner('GET', '/v1/finance/accounts'),
    owner('POST', '/v1/finance/accounts', '{'),
    owner('GET', '/v1/crm/things'),
  ])
  for (const { headers, status } of replies) {
    t.match(headers, advised, String(status))
    t.equal(headers['x-powered-by'], undefined)
  }
  const large = { email: 'a@example.com', password: 'x'.repeat(70_000) }
  t.match(await send('POST', '/v1/auth/sign-in/email', large), {
    status: 413,
    body: { code: 'BODY_TOO_LARGE', limit: 65_536 },
  })
  const { port } = await kernel.listen()
  for (const text of ['GET / HTTP/1.1\r\nHost: a b\r\n\r\n', 'nonsense\r\n\r\n']) {
    const socket = connect(port, '127.0.0.1').end(text)
    const answer = (await socket.toArray()).join('').toLowerCase()
    for (const [name, value] of Object.entries(advised))
      t.ok(answer.includes(`${name}: ${value.toLowerCase()}`), `${name} in ${answer.slice(0, 20)}`)
  }
})

t.test('a page reads what the tenant has opened to its origin', async (t) => {
  const { send, openTenant, addMember } = await testKernel(t)
  const tenant = await openTenant()
  const { owner } = tenant
  const other = await openTenant()
  const origin = 'https://app.example.com'
  const asks = { origin, 'access-control-request-method': 'POST' }
  const allowed = ({ headers }: Reply) => headers['access-control-allow-origin']
  const from = (ask: Send, path = '/v1/tenant') => ask('GET', path, undefined, { origin })

  t.equal(allowed(await from(owner)), undefined, 'closed by default')
  t.equal(allowed(await send('OPTIONS', '/v1/tenant', undefined, asks)), undefined)
  const first = await owner('GET', '/v1/tenant/cors')
  t.match(first, { status: 200, body: { origins: [], version: 1 }, headers: { etag: '"1"' } })
  const change = (origins: unknown, ask = owner, etag = '"1"') =>
    ask('PUT', '/v1/tenant/cors', { origins }, { 'if-match': etag })
  for (const bad of [
    '*',
    'null',
    'https://app.example.com/',
    'http://app.example.com',
    'https://A.example',
    'ftp://a.example',
  ])
    t.match(await change([origin, bad]), { status: 422 }, bad)
  t.match(await change(['http://app.example.com']), { body: { errors: [{ field: 'origins.0' }] } })
  t.equal((await change([origin], await addMember(tenant, 'member'))).status, 403)
  t.match(await change([origin, 'http://localhost:5173']), { status: 200, headers: { etag: '"2"' } })
  t.match(await change([]), { status: 412, body: { code: 'VERSION_CONFLICT', version: 2 } })

  const mine = await from(owner)
  t.equal(allowed(mine), origin)
  t.match(mine.headers, { vary: /origin/, 'access-control-expose-headers': /etag.*x-request-id/ })
  t.equal(mine.headers['access-control-allow-credentials'], undefined)
  t.equal(allowed(await from(other.owner)), undefined, 'another tenant has not')
  t.equal(allowed(await from(owner, '/v1/crm/things')), origin, 'a refusal can be read, too')
  t.equal(allowed(await from(send)), origin, 'and that one is not signed in')
  t.equal(allowed(await owner('GET', '/v1/tenant', undefined, { origin: 'https://evil.example' })), undefined)
  const preflight = await send('OPTIONS', '/v1/finance/accounts', undefined, asks)
  t.match(preflight, {
    status: 204,
    headers: {
      'access-control-allow-origin': origin,
      'access-control-allow-methods': /POST/,
      'access-control-allow-headers': /idempotency-key/,
    },
  })
  t.equal((await change([], owner, '"2"')).status, 200)
  t.equal(allowed(await from(owner)), undefined, 'closed again with the next request')
})

t.test('who asks too often is told when to come back', async (t) => {
  const rates = { rateUser: 20, rateTenant: 50, rateKey: 10 }
  const { send, openTenant, addMember } = await testKernel(t, rates)
  const tenant = await openTenant()
  const { owner } = tenant
  const { body } = await owner('POST', '/v1/me/keys', { name: 'k', scopes: ['tenant.*'] })
  const withKey = (n: number) =>
    send('GET', '/v1/tenant', undefined, {
      authorization: `Bearer ${String(body['key'])}`,
      'x-request-id': `request-${n}`,
    })
  const member = await addMember(tenant, 'member')
  const [second, third] = [await addMember(tenant, 'member'), await addMember(tenant, 'member')]
  /** Twice the limit: a minute may end on the way. */
  const until429 = async (ask: (n: number) => Promise<Reply>, most: number) => {
    for (let n = 0; n < 2 * most + 2; n += 1) {
      const reply = await ask(n)
      if (reply.status === 429) return reply
      t.match(reply, {
        status: 200,
        headers: { ratelimit: /^"(user|key|tenant)";r=\d+;t=\d+$/, 'ratelimit-policy': /"user";q=20;w=60/ },
      })
    }
    return undefined
  }
  t.match(await until429(withKey, 10), {
    body: { code: 'RATE_LIMITED', policy: 'key', limit: 10 },
    headers: { 'retry-after': /^\d+$/, ratelimit: /^"key";r=0;t=\d+$/, 'content-type': /problem/ },
  })
  const asked = await until429(() => owner('GET', '/v1/tenant'), 20)
  t.match(asked, { body: { code: 'RATE_LIMITED' } })
  const seen = new Set<unknown>()
  for (const person of [member, second, third])
    for (let n = 0; n < 40; n += 1) seen.add((await person('GET', '/v1/tenant')).body['policy'])
  t.ok(seen.has('tenant') || seen.has('user'), 'together they come to the limit of the tenant')
  t.equal((await (await openTenant()).owner('GET', '/v1/tenant')).status, 200, 'another tenant is served')
  t.equal((await send('GET', '/health/live')).status, 200)
})

t.test('a process that cannot keep up turns away', async (t) => {
  const { send } = await testKernel(t, { longestDelayMs: 60 })
  const deadline = Date.now() + 20_000
  let reply = await send('GET', '/v1/marketplace/plans')
  while (reply.status !== 503 && Date.now() < deadline) {
    const end = Date.now() + 200
    while (Date.now() < end);
    await turn()
    reply = await send('GET', '/v1/marketplace/plans')
  }
  t.match(reply, {
    status: 503,
    body: { code: 'UNDER_PRESSURE' },
    headers: { 'retry-after': '1', 'x-frame-options': 'DENY' },
  })
  t.equal((await send('GET', '/health/live')).status, 200, 'the load balancer is answered')
  while (reply.status !== 200 && Date.now() < deadline + 20_000) {
    await new Promise((resolve) => setTimeout(resolve, 100))
    reply = await send('GET', '/v1/marketplace/plans')
  }
  t.equal(reply.status, 200, 'and everybody again, when it can')
})
