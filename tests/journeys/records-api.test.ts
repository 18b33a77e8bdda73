// What every entity gets: validation that names the field, lists, ETags, and another tenant's record that is not there.
import { Validator } from '@seriousme/openapi-schema-validator'
import t from 'tap'
import { testKernel } from '../support/kernel.ts'

const accounts = '/v1/finance/accounts'

t.test('records over HTTP', async (t) => {
  const kernel = await testKernel(t)
  const { owner } = await kernel.openTenant('finance')
  const { owner: stranger } = await kernel.openTenant('finance')
  const cash = (await owner('POST', accounts, { code: '1000', name: 'Cash', type: 'asset' })).body
  const path = `${accounts}/${String(cash['id'])}`

  t.test('bad input is refused with every wrong field named', async (t) => {
    const wrong = await owner('POST', accounts, { code: 7, type: 'asets', nmae: 'Cash' })
    t.match(wrong, { status: 422, body: { code: 'VALIDATION_FAILED' } })
    const named = (wrong.body['errors'] as { field: string; code: string }[])
      .map((error) => error.field)
      .sort()
    t.same(named, ['code', 'name', 'nmae', 'type'])
    t.match(await owner('POST', accounts, []), { status: 422, body: { errors: [{ field: 'body' }] } })
    t.match(await owner('POST', accounts, '{"code":', { 'content-type': 'application/json' }), {
      status: 400,
      body: { code: 'REQUEST_MALFORMED' },
    })
    t.match(await owner('POST', accounts, 'code=1', { 'content-type': 'text/plain' }), { status: 415 })
    t.match(
      await owner('POST', accounts, '{"__proto__":{"x":1},"code":"1"}', {
        'content-type': 'application/json',
      }),
      { status: 400 },
    )
    t.match(await owner('POST', accounts, { code: 'x'.repeat(2_000_000) }), {
      status: 413,
      body: { code: 'BODY_TOO_LARGE' },
    })
    t.match(await owner('POST', accounts, { code: '2000', name: 'A\u0000B', type: 'asset' }), {
      status: 422,
      body: { errors: [{ field: 'name' }] },
    })
    t.match(await owner('POST', accounts, { id: cash['id'], code: '2', name: 'B', type: 'asset' }), {
      status: 422,
      body: { errors: [{ field: 'id' }] },
    })
    t.match(
      await owner('POST', '/v1/finance/journal-entries', {
        date: '2026-01-01',
        description: 'x',
        lines: [],
        status: 'posted',
      }),
      { status: 422, body: { errors: [{ field: 'status' }] } },
    )
  })

  t.test('a unique value is unique within the tenant only', async (t) => {
    const again = { code: '1000', name: 'Again', type: 'asset' }
    t.match(await owner('POST', accounts, again), {
      status: 409,
      body: { code: 'RECORD_CONFLICT', fields: ['code'] },
    })
    t.match(await stranger('POST', accounts, again), { status: 201 })
  })

  t.test("another tenant's record is not there, whatever one does to it", async (t) => {
    for (const reply of [
      await stranger('GET', path),
      await stranger('PATCH', path, { name: 'Mine' }),
      await stranger('DELETE', path),
      await stranger('POST', `/v1/finance/journal-entries/${String(cash['id'])}/post`),
    ]) {
      t.match(reply, { status: 404, body: { code: 'RECORD_NOT_FOUND' } })
    }
    t.match(await owner('GET', path), { status: 200, body: { name: 'Cash', version: 1 } })
    t.match(await owner('GET', `${accounts}/not-an-id`), { status: 404 })
  })

  t.test('changes honour If-Match, reads If-None-Match', async (t) => {
    const read = await owner('GET', path)
    t.equal(read.headers['etag'], '"1"')
    t.equal((await owner('GET', path, undefined, { 'if-none-match': '"1"' })).status, 304)
    t.match(await owner('PATCH', path, { name: 'Till' }, { 'if-match': '"1"' }), {
      status: 200,
      body: { version: 2 },
    })
    t.match(await owner('PATCH', path, { name: 'Drawer' }, { 'if-match': '"1"' }), {
      status: 412,
      body: { code: 'VERSION_CONFLICT' },
    })
    t.match(await owner('DELETE', path, undefined, { 'if-match': '"1"' }), { status: 412 })
    t.match(await owner('PATCH', path, { name: 'X' }, { 'if-match': 'W/"2"' }), { status: 412 }, 'weak')
    t.match(await owner('PATCH', path, { name: 'X' }, { 'if-match': '"1", "3"' }), { status: 412 })
    t.match(await owner('PATCH', path, { name: 'Box' }, { 'if-match': '"1", "2"' }), { status: 200 })
    t.equal((await owner('GET', path, undefined, { 'if-none-match': '"1", W/"3"' })).status, 304)
    t.equal((await owner('HEAD', path)).status, 200)
    t.match(await owner('PATCH', path, { name: 'Till' }, { 'if-match': '*' }), { status: 200 })
    t.match(await owner('PATCH', path, { name: 'X' }, { 'if-match': 'nonsense' }), {
      status: 422,
      body: { errors: [{ field: 'If-Match' }] },
    })
  })

  t.test('of ten changes to one version, one wins', async (t) => {
    const { headers } = await owner('GET', path)
    const replies = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        owner('PATCH', path, { name: `Name ${index}` }, { 'if-match': String(headers['etag']) }),
      ),
    )
    t.equal(replies.filter((reply) => reply.status === 200).length, 1)
    t.equal(replies.filter((reply) => reply.status === 412).length, 9)
  })

  t.test('lists are filtered, sorted and paged, and refuse what they do not know', async (t) => {
    for (let code = 10; code < 25; code += 1) {
      await owner('POST', accounts, {
        code: String(code),
        name: `Account ${code % 3}`,
        type: code % 2 ? 'asset' : 'income',
      })
    }
    const seen: string[] = []
    let next = `${accounts}?type=income&sort=-name,code&limit=3`
    for (let page = 0; page < 10 && next !== ''; page += 1) {
      const { status, body } = await owner('GET', next)
      t.equal(status, 200)
      for (const item of body['items'] as { code: string }[]) seen.push(item.code)
      const cursor = body['cursor']
      next =
        cursor === undefined
          ? ''
          : `${accounts}?type=income&sort=-name,code&limit=3&cursor=${encodeURIComponent(String(cursor))}`
    }
    t.same(seen, ['14', '20', '10', '16', '22', '12', '18', '24'])
    t.match(await owner('GET', `${accounts}?code[gte]=20&code[lt]=22`), {
      body: { items: [{ code: '20' }, { code: '21' }] },
    })
    t.match(await owner('GET', `${accounts}?code[in]=11,12&sort=code`), {
      body: { items: [{ code: '11' }, { code: '12' }] },
    })
    for (const [query, field] of [
      ['colour=red', 'colour'],
      ['limit=0', 'limit'],
      ['limit=201', 'limit'],
      ['sort=colour', 'sort'],
      ['sort=code,-code', 'sort'],
      ['sort=code,name,type,id,version', 'sort'],
      ['code[like]=1', 'code[like]'],
      ['type=nonsense', 'type'],
      ['createdAt[gt]=yesterday', 'createdAt[gt]'],
    ] as const) {
      t.match(
        await owner('GET', `${accounts}?${query}`),
        { status: 422, body: { errors: [{ field }] } },
        query,
      )
    }
    t.match(await owner('GET', `${accounts}?cursor=abc`), { status: 400, body: { code: 'CURSOR_INVALID' } })
  })

  t.test('a request id is taken from the client or made, and comes back', async (t) => {
    const given = await owner('GET', path, undefined, { 'x-request-id': 'my-request-1' })
    t.equal(given.headers['x-request-id'], 'my-request-1')
    const forged = await owner('GET', path, undefined, { 'x-request-id': 'bad id\n' })
    t.match(forged.headers['x-request-id'], /^[0-9a-f-]{36}$/)
    const missing = await owner('GET', `${accounts}/nothing`)
    t.equal(missing.body['requestId'], missing.headers['x-request-id'])
  })

  t.test('unknown paths and methods are problems too', async (t) => {
    t.match(await owner('GET', '/v1/finance/nothing'), { status: 404, body: { code: 'ROUTE_NOT_FOUND' } })
    t.match(await owner('GET', '/v1/nothing'), { status: 404, body: { code: 'ROUTE_NOT_FOUND' } })
    t.match(await owner('PUT', path, {}), { status: 405, headers: { allow: 'DELETE, GET, HEAD, PATCH' } })
  })

  t.test('/openapi.json is valid OpenAPI 3.1 and describes what the tenant has enabled', async (t) => {
    const mine = await owner('GET', '/openapi.json')
    const validator = new Validator()
    const result = await validator.validate(structuredClone(mine.body))
    t.same(result.errors ?? [], [])
    t.equal(validator.version, '3.1')
    const paths = Object.keys(mine.body['paths'] as object)
    t.ok(paths.includes('/v1/finance/journal-entries/{id}/post'))
    t.ok(paths.includes('/v1/finance/reports/trial-balance'))
    t.ok(paths.includes('/v1/tenant/modules'))
    await owner('DELETE', '/v1/tenant/modules/finance')
    const less = Object.keys((await owner('GET', '/openapi.json')).body['paths'] as object)
    t.notOk(less.some((one) => one.startsWith('/v1/finance/')))
  })
})
