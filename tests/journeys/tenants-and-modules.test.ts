// Signing up, tenants, members and modules: what a new user does first, and what he must not be able to do.
import t from 'tap'
import { testKernel } from '../support/kernel.ts'

t.test('a new user', async (t) => {
  const kernel = await testKernel(t)
  const { send } = kernel

  t.test('signs up, signs in and signs out; afterwards the token is worth nothing', async (t) => {
    const account = { name: 'Ada', email: 'ada@example.com', password: 'correct horse battery' }
    const up = await send('POST', '/v1/auth/sign-up/email', account)
    t.equal(up.status, 200)
    t.type(up.body['token'], 'string')
    const into = await send('POST', '/v1/auth/sign-in/email', {
      email: account.email,
      password: account.password,
    })
    t.equal(into.status, 200)
    const bearer = { authorization: `Bearer ${String(into.body['token'])}` }
    t.equal((await send('GET', '/v1/tenants', undefined, bearer)).status, 200)
    const token = String(into.body['token'])
    for (const [authorization, status] of [
      [`bearer ${token}`, 200],
      [`BEARER  ${token}`, 200],
      [`Basic ${token}`, 401],
      [`Bearer${token}`, 401],
      [`Bearer ${token} x`, 401],
    ] as const) {
      t.equal((await send('GET', '/v1/tenants', undefined, { authorization })).status, status)
    }
    t.equal((await send('POST', '/v1/auth/sign-out', undefined, bearer)).status, 204)
    t.equal((await send('GET', '/v1/tenants', undefined, bearer)).status, 401)
  })

  t.test('is told which field is wrong when signing up', async (t) => {
    const short = await send('POST', '/v1/auth/sign-up/email', {
      name: 'A',
      email: 'x@example.com',
      password: 'x',
    })
    t.match(short, { status: 422, body: { code: 'VALIDATION_FAILED', errors: [{ field: 'password' }] } })
    const missing = await send('POST', '/v1/auth/sign-up/email', {
      email: 'x@example.com',
      password: 'long enough pw',
    })
    t.match(missing, { status: 422, body: { errors: [{ field: 'name', code: 'REQUIRED' }] } })
  })

  t.test('gets the same answer for a wrong password and an unknown address', async (t) => {
    const wrong = await send('POST', '/v1/auth/sign-in/email', {
      email: 'ada@example.com',
      password: 'wrong',
    })
    const unknown = await send('POST', '/v1/auth/sign-in/email', {
      email: 'eve@example.com',
      password: 'wrong',
    })
    t.equal(wrong.status, 401)
    t.same(
      [wrong.status, wrong.body['code'], wrong.body['detail']],
      [unknown.status, unknown.body['code'], unknown.body['detail']],
    )
  })

  t.test('creates a tenant and owns it; nobody else finds it', async (t) => {
    const ada = await kernel.signUp()
    const made = await ada('POST', '/v1/tenants', { name: 'Ada Ltd', slug: 'ada-ltd' })
    t.match(made, { status: 201, body: { slug: 'ada-ltd', role: 'owner', currency: 'INR', plan: 'starter' } })
    t.match(await ada('GET', '/v1/tenants'), { body: { items: [{ slug: 'ada-ltd' }] } })
    t.match(await ada('POST', '/v1/tenants', { name: 'Again', slug: 'ada-ltd' }), {
      status: 409,
      body: { code: 'RECORD_CONFLICT' },
    })
    t.match(await ada('POST', '/v1/tenants', { name: 'X', slug: 'No Slug' }), {
      status: 422,
      body: { errors: [{ field: 'slug' }] },
    })
    const eve = await kernel.signUp()
    const hers = await eve('GET', '/v1/tenant', undefined, { 'x-tenant-id': 'ada-ltd' })
    const nobodys = await eve('GET', '/v1/tenant', undefined, { 'x-tenant-id': 'no-such' })
    t.match(hers, { status: 404, body: { code: 'TENANT_NOT_FOUND' } })
    t.equal(hers.status, nobodys.status)
    t.equal((await send('GET', '/v1/tenant', undefined, { 'x-tenant-id': 'ada-ltd' })).status, 401)
  })

  t.test('with one tenant need not name it, with two must', async (t) => {
    const ada = await kernel.signUp()
    t.match(await ada('GET', '/v1/tenant'), { status: 400, body: { code: 'TENANT_REQUIRED' } })
    await ada('POST', '/v1/tenants', { name: 'One', slug: 'one' })
    t.match(await ada('GET', '/v1/tenant'), { status: 200, body: { slug: 'one' } })
    await ada('POST', '/v1/tenants', { name: 'Two', slug: 'two' })
    t.match(await ada('GET', '/v1/tenant'), { status: 400, body: { code: 'TENANT_REQUIRED' } })
    const byId = await ada('GET', '/v1/tenant', undefined, { 'x-tenant-id': 'two' })
    t.match(await ada('GET', '/v1/tenant', undefined, { 'x-tenant-id': String(byId.body['id']) }), {
      body: { slug: 'two' },
    })
  })
})

t.test('nobody takes the id of another tenant for his slug', async (t) => {
  const kernel = await testKernel(t)
  const { id, slug, owner } = await kernel.openTenant()
  const eve = await kernel.signUp()
  t.match(await eve('POST', '/v1/tenants', { name: 'Mine', slug: id }), {
    status: 422,
    body: { errors: [{ field: 'slug' }] },
  })
  t.match(await owner('GET', '/v1/tenant', undefined, { 'x-tenant-id': id }), { body: { slug } })
})

t.test('control connections that break while they are used do not end the kernel', async (t) => {
  const kernel = await testKernel(t)
  const { owner } = await kernel.openTenant()
  for (let round = 0; round < 5; round += 1) {
    const asked = Promise.all(Array.from({ length: 20 }, () => owner('GET', '/v1/tenants')))
    await kernel.database.admin.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'plinth-kernel' AND datname = current_database()`,
    )
    await asked
  }
  t.match(await owner('GET', '/v1/tenants'), { status: 200 })
})

t.test('members', async (t) => {
  const kernel = await testKernel(t)
  const tenant = await kernel.openTenant()
  const { owner } = tenant

  t.test('an admin manages members but not owners, a member manages nobody', async (t) => {
    const admin = await kernel.addMember(tenant, 'admin')
    const member = await kernel.addMember(tenant, 'member')
    await kernel.signUp(undefined, 'new@example.com')
    const newcomer = { email: 'new@example.com', role: 'member' }
    t.match(await member('POST', '/v1/tenant/members', newcomer), {
      status: 403,
      body: { code: 'FORBIDDEN' },
    })
    t.match(await admin('POST', '/v1/tenant/members', { ...newcomer, role: 'owner' }), { status: 403 })
    const added = await admin('POST', '/v1/tenant/members', newcomer)
    t.match(added, { status: 201, body: { role: 'member', email: 'new@example.com' } })
    t.match(await admin('POST', '/v1/tenant/members', newcomer), { status: 409 })
    const path = `/v1/tenant/members/${String(added.body['userId'])}`
    t.match(await admin('PATCH', path, { role: 'owner' }), { status: 403 })
    t.match(await owner('PATCH', path, { role: 'admin' }), { status: 200, body: { role: 'admin' } })
    t.match(await owner('DELETE', path), { status: 204 })
    t.match(await owner('DELETE', path), { status: 404 })
  })

  t.test('the last owner stays', async (t) => {
    const members = await owner('GET', '/v1/tenant/members')
    const items = members.body['items'] as { userId: string; role: string }[]
    const self = items.find((item) => item.role === 'owner')?.userId
    t.match(await owner('DELETE', `/v1/tenant/members/${self}`), {
      status: 409,
      body: { code: 'LAST_OWNER' },
    })
    t.match(await owner('PATCH', `/v1/tenant/members/${self}`, { role: 'member' }), { status: 409 })
  })

  t.test('are listed page by page', async (t) => {
    const seen: string[] = []
    let cursor = ''
    do {
      const page = await owner('GET', `/v1/tenant/members?limit=1${cursor}`)
      for (const item of page.body['items'] as { userId: string }[]) seen.push(item.userId)
      cursor = page.body['cursor'] === undefined ? '' : `&cursor=${String(page.body['cursor'])}`
    } while (cursor !== '')
    t.equal(new Set(seen).size, 3)
    t.match(await owner('GET', '/v1/tenant/members?limit=1000'), {
      status: 422,
      body: { errors: [{ field: 'limit' }] },
    })
  })
})

t.test('modules', async (t) => {
  const kernel = await testKernel(t)
  const { slug, owner } = await kernel.openTenant()

  t.test('the marketplace lists what is installed and what is sold but not here', async (t) => {
    const { body } = await kernel.send('GET', '/v1/marketplace/modules')
    const items = body['items'] as { id: string; available: boolean }[]
    t.match(
      items.find((item) => item.id === 'finance'),
      {
        title: 'Finance',
        version: '0.1.0',
        price: { amount: '9999.00', currency: 'INR' },
        requires: [],
        asks: { sql: 'read' },
        available: true,
      },
    )
    t.match(
      items.find((item) => item.id === 'oms'),
      { available: false, note: 'not available here' },
    )
    t.equal(items.length, 10)
    const plans = await kernel.send('GET', '/v1/marketplace/plans')
    t.same(
      (plans.body['items'] as { id: string; price: { amount: string } }[]).map((plan) => [
        plan.id,
        plan.price.amount,
      ]),
      [
        ['starter', '19999.00'],
        ['growth', '39999.00'],
        ['professional', '59999.00'],
        ['enterprise', '79999.00'],
      ],
    )
  })

  t.test('a module that is not enabled is refused before anything else about it is told', async (t) => {
    const refused = await owner('GET', '/v1/finance/accounts')
    t.match(refused, {
      status: 403,
      body: {
        code: 'MODULE_NOT_ENABLED',
        detail: "Module 'finance' is not enabled for your account. Please upgrade your subscription.",
      },
    })
    t.match(refused.headers['content-type'], /application\/problem\+json/)
  })

  t.test('enabling and disabling act on the next request', async (t) => {
    t.match(await owner('POST', '/v1/tenant/modules', { module: 'finance' }), {
      status: 201,
      body: { module: 'finance' },
    })
    t.match(await owner('GET', '/v1/tenant/modules'), {
      body: { items: [{ module: 'finance', available: true }] },
    })
    t.match(await owner('POST', '/v1/finance/accounts', { code: '1', name: 'Cash', type: 'asset' }), {
      status: 201,
    })
    t.match(await owner('POST', '/v1/tenant/modules', { module: 'finance' }), { status: 409 })
    t.match(await owner('DELETE', '/v1/tenant/modules/finance'), { status: 204 })
    t.match(await owner('GET', '/v1/finance/accounts'), { status: 403, body: { code: 'MODULE_NOT_ENABLED' } })
    t.match(await owner('DELETE', '/v1/tenant/modules/finance'), { status: 404 })
    t.match(await owner('POST', '/v1/tenant/modules', { module: 'finance' }), { status: 201 })
    t.match(
      await owner('GET', '/v1/finance/accounts'),
      { body: { items: [{ code: '1' }] } },
      'the data is still there',
    )
  })

  t.test('an unknown or absent module, or one that is only sold, cannot be enabled', async (t) => {
    t.match(await owner('POST', '/v1/tenant/modules', { module: 'nonesuch' }), {
      status: 404,
      body: { code: 'MODULE_NOT_FOUND' },
    })
    t.match(await owner('POST', '/v1/tenant/modules', { module: 'oms' }), { status: 404 })
    t.match(await owner('POST', '/v1/tenant/modules', {}), {
      status: 422,
      body: { errors: [{ field: 'module' }] },
    })
  })

  t.test('a member neither enables nor disables', async (t) => {
    const member = await kernel.addMember({ slug, owner }, 'member')
    t.match(await member('DELETE', '/v1/tenant/modules/finance'), {
      status: 403,
      body: { code: 'FORBIDDEN' },
    })
    t.match(await member('POST', '/v1/tenant/modules', { module: 'finance' }), { status: 403 })
  })

  t.test('every change is in the audit trail', async (t) => {
    const { rows } = await kernel.database.admin.query(
      `SELECT entity, action FROM kernel.audit WHERE tenant_id = (SELECT id FROM kernel.tenant WHERE slug = $1)
        AND module = 'kernel' ORDER BY id`,
      [slug],
    )
    t.same(rows.slice(0, 3), [
      { entity: 'tenant', action: 'created' },
      { entity: 'module', action: 'enabled' },
      { entity: 'module', action: 'disabled' },
    ])
  })
})
