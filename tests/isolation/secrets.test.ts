// Secrets of a tenant: sent by a plugin that never sees them, to their own host and to no other.
import t from 'tap'
import { echo, fetchAs, hosts, setKey, startBank, value } from '../support/bank-kernel.ts'

t.test('secrets', async (t) => {
  const { kernel, openBank, outside, lines } = await startBank(t)
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
        { body: { code: /FETCH_REFUSED|CAPABILITY_DENIED|LIMIT_EXCEEDED/ } },
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
      `insert into kernel.module_secret (tenant_id, module, name, host, sealed, set_by)
       select $1, module, name, host, sealed, set_by from kernel.module_secret where tenant_id = $2`,
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
