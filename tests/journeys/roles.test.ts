// Roles of a tenant over HTTP: made, given, changed and taken away, and what each lets through in records, lists and
// fields, from the next request on and in every process.
import type { Json } from '@plinth/sdk'
import fc from 'fast-check'
import t from 'tap'
import type { EntityRecord } from '../../kernel/src/data/entity-store.ts'
import { createKernel } from '../../kernel/src/kernel.ts'
import type { AccessRule } from '../../kernel/src/permissions/access-rule.ts'
import { buildAbility } from '../../kernel/src/permissions/build-ability.ts'
import { trimmed } from '../../kernel/src/permissions/field-rights.ts'
import { grantsOf } from '../../kernel/src/permissions/grants.ts'
import { type Send, sender, testConfig, testLog } from '../support/kernel.ts'
import { allow, deny, openDesk, papers } from '../support/papers.ts'

t.test('roles', async (t) => {
  const desk = await openDesk(t)
  const { ada, bob, admin, tenant, kernel, give, take } = desk
  const [, adminId, adaId, bobId] = desk.ids
  const { owner } = tenant
  const roles = '/v1/tenant/roles'
  const listed = async (send: Send, query = '') =>
    ((await send('GET', `${papers}?limit=200${query}`)).body['items'] ?? []) as Record<string, Json>[]
  const write = async (send: Send, body: object) => (await send('POST', papers, body)).body
  const path = (record: { readonly id?: unknown }) => `${papers}/${String(record.id)}`

  await t.test('a rule that could never work is refused where it is wrong', async (t) => {
    for (const [rule, field, code] of [
      [allow('papers.paper.rea'), 'rules.0.permission', 'UNKNOWN_PERMISSION'],
      [allow('finance.*'), 'rules.0.permission', 'UNKNOWN_PERMISSION'],
      [allow('papers.paper.read', { fields: ['titel'] }), 'rules.0.fields.0', 'UNKNOWN_FIELD'],
      [allow('papers.*', { fields: ['title'] }), 'rules.0.fields.0', 'SEVERAL_ENTITIES'],
      [allow('papers.paper.approve', { fields: ['title'] }), 'rules.0.fields.0', 'NO_FIELDS'],
      [allow('papers.route.seen', { when: [{ own: true }] }), 'rules.0.when.0', 'NO_RECORDS'],
      [allow('tenant.settings.update', { when: [{ own: true }] }), 'rules.0.when.0', 'NO_RECORDS'],
      [allow('papers.office.read', { when: [{ unit: true }] }), 'rules.0.when.0', 'NO_UNIT'],
      [
        allow('papers.paper.read', { when: [{ field: 'amount', op: 'gt', value: 'x' }] }),
        'rules.0.when.0.value',
        'INVALID',
      ],
      [
        allow('papers.paper.read', { when: [{ field: 'amounts', op: 'gt', value: '1' }] }),
        'rules.0.when.0.field',
        'INVALID',
      ],
      [
        allow('papers.paper.read', { when: [{ field: 'status', op: 'gt', value: 'draft' }] }),
        'rules.0.when.0.value',
        'INVALID',
      ],
      [
        allow('papers.paper.read', { when: [{ field: 'amount', op: 'in', value: '1' }] }),
        'rules.0.when.0.value',
        'WRONG_TYPE',
      ],
    ] as const) {
      const reply = await owner('POST', roles, { name: 'Wrong', rules: [rule] })
      t.match(reply, { status: 422, body: { errors: [{ field, code }] } }, JSON.stringify(rule))
    }
    t.match(await owner('POST', roles, { name: 'Wrong', rules: [{ permission: 'x y', effect: 'allow' }] }), {
      status: 422,
    })
    t.match(await owner('POST', roles, { name: ' ', rules: [] }), {
      status: 422,
      body: { errors: [{ field: 'name' }] },
    })
  })

  await t.test(
    'the list has memberships, what modules suggest, and the tenant’s own, in pages',
    async (t) => {
      const own = await give([allow('papers.paper.read')])
      const seen: string[] = []
      let cursor = ''
      do {
        const { body } = await owner('GET', `${roles}?limit=2${cursor && `&cursor=${cursor}`}`)
        seen.push(...(body['items'] as { id: string }[]).map(({ id }) => id))
        cursor = String(body['cursor'] ?? '')
      } while (cursor !== '')
      t.same(seen, ['owner', 'admin', 'member', 'papers.member', 'papers.clerk', own])
      t.match(await owner('GET', `${roles}/papers.clerk`), {
        body: { kind: 'template', rules: [{ permission: 'papers.paper.create' }, { when: [{ own: true }] }] },
      })
      t.match(await owner('GET', `${roles}?cursor=nobody`), { status: 400 })
      t.match(await ada('GET', roles), { status: 403, body: { permission: 'tenant.roles.manage' } })
      t.equal((await owner('DELETE', `${roles}/${own}`)).status, 204)
      const { body } = await owner('GET', '/v1/tenant/permissions')
      t.ok((body['items'] as string[]).includes('papers.paper.approve'))
    },
  )

  await t.test('a change acts on the next request, in this process and in another', async (t) => {
    const config = testConfig(kernel.database.adminUrl, { pluginsRoot: desk.root })
    const second = await createKernel(config, testLog)
    t.teardown(() => second.close())
    const account = { email: `ada-${tenant.slug}@example.com`, password: 'correct horse battery' }
    const { body: session } = await sender(second)('POST', '/v1/auth/sign-in/email', account)
    const elsewhere = sender(second, {
      authorization: `Bearer ${String(session['token'])}`,
      'x-tenant-id': tenant.slug,
    })
    t.equal((await elsewhere('GET', papers)).status, 403)
    const role = await give([allow('papers.paper.read')], adaId)
    for (const send of [ada, elsewhere]) t.equal((await send('GET', papers)).status, 200)
    const { headers, body: seen } = await owner('GET', `${roles}/${role}`)
    t.match(seen, { version: 1, members: 1 })
    const stale = await owner('PATCH', `${roles}/${role}`, { name: 'X' }, { 'if-match': '"7"' })
    t.match(stale, { status: 412 })
    const changed = await owner(
      'PATCH',
      `${roles}/${role}`,
      { rules: [] },
      { 'if-match': String(headers['etag']) },
    )
    t.match(changed, { status: 200, body: { version: 2 }, headers: { etag: '"2"' } })
    for (const send of [ada, elsewhere]) t.equal((await send('GET', papers)).status, 403)
    t.match(await owner('DELETE', `${roles}/${role}`), { status: 409, body: { code: 'RECORD_IN_USE' } })
    t.match(await ada('GET', `/v1/tenant/members/${adaId}/roles`), {
      body: { membership: 'member', items: [{ id: role }] },
    })
    t.equal((await ada('GET', `/v1/tenant/members/${bobId}/roles`)).status, 403)
    await take(role, adaId)
    t.equal((await owner('DELETE', `${roles}/${role}`)).status, 204)
    const { rows } = await kernel.database.admin.query(
      `select entity, action from kernel.audit where tenant_id = $1 and record_id in ($2, $3) order by id`,
      [tenant.id, role, adaId],
    )
    t.match(JSON.stringify(rows), /created.*assigned.*changed.*unassigned.*removed/)
  })

  await t.test('deny beats allow, for admins too; owners keep the tenant', async (t) => {
    await write(owner, { title: 'cheap', amount: '9.50' })
    await write(owner, { title: 'dear', amount: '10.01' })
    const dear = deny('papers.paper.read', { when: [{ field: 'amount', op: 'gt', value: '10' }] })
    const role = await give(
      [dear, ...['settings.update', 'roles.manage', 'members.manage'].map((one) => deny(`tenant.${one}`))],
      adminId,
      desk.ids[0],
    )
    const titles = async (send: Send) => (await listed(send)).map(({ title }) => title)
    t.same(await titles(admin), ['cheap'])
    t.same(await titles(owner), ['cheap'], 'an owner as well')
    t.match(await admin('PATCH', '/v1/tenant/settings/papers', {}), { status: 403 })
    t.match(await owner('PATCH', '/v1/tenant/settings/papers', {}), { status: 200 })
    const email = 'new-admin@example.com'
    await kernel.signUp(undefined, email)
    t.match(await admin('POST', '/v1/tenant/members', { email, role: 'admin' }), { status: 403 })
    t.match(await admin('POST', '/v1/tenant/service-accounts', { name: 'robot', role: 'admin' }), {
      status: 403,
    })
    const member = `/v1/tenant/members/${adaId}`
    const refused = { status: 403, body: { code: 'FORBIDDEN', permission: 'tenant.members.manage' } }
    t.match(await admin('POST', '/v1/tenant/members', { email, role: 'member' }), refused)
    t.match(await admin('PATCH', member, { active: false }), refused)
    t.match(await admin('DELETE', member), refused)
    await take(role, adminId)
    await take(role, desk.ids[0])
    t.same(await titles(admin), ['cheap', 'dear'])
  })

  await t.test(
    'fields: trimmed in every reply, refused by name when written, filtered or sorted by',
    async (t) => {
      const role = await give(
        [
          allow('papers.paper.read', { fields: ['title', 'amount'] }),
          allow('papers.paper.read', { fields: ['secret'], when: [{ own: true }] }),
          allow('papers.paper.create'),
          allow('papers.paper.update', { fields: ['title'] }),
          allow('papers.route.seen'),
        ],
        adaId,
      )
      const theirs = await write(owner, { title: 'theirs', secret: 'hidden-7' })
      const hers = await write(ada, { title: 'hers', secret: 'mine' })
      t.match(hers, { secret: 'mine' })
      t.notOk('status' in hers, 'not among the fields')
      const one = (await ada('GET', path(theirs))).body
      t.match(one, { title: 'theirs', amount: '0', version: 1 })
      t.notOk('secret' in one || 'status' in one)
      for (const seen of [await listed(ada), (await ada('GET', '/v1/papers/seen')).body])
        t.notMatch(JSON.stringify(seen), 'hidden-7')
      for (const query of [
        'secret=hidden-7',
        'secret[ne]=x',
        'sort=secret',
        'sort=-title,status',
        'status=draft',
      ])
        t.match(
          await ada('GET', `${papers}?${query}`),
          { status: 403, body: { code: 'FORBIDDEN', field: /secret|status/ } },
          query,
        )
      t.equal((await ada('GET', `${papers}?title=hers&sort=-amount`)).status, 200)
      t.match(await ada('PATCH', path(theirs), { secret: 'x' }), { status: 403, body: { field: 'secret' } })
      t.match(await ada('PATCH', path(theirs), { title: 'y', amount: '1' }), {
        status: 403,
        body: { field: 'amount' },
      })
      const patched = await ada('PATCH', path(theirs), { title: 'changed' })
      t.match(patched, { status: 200, body: { title: 'changed' } })
      t.notOk('secret' in patched.body)
      await take(role, adaId)
    },
  )

  await t.test('what may be changed is not changed into what may not', async (t) => {
    const role = await give(
      [
        allow('papers.paper.read'),
        ...['create', 'update', 'delete', 'approve'].map((verb) =>
          allow(`papers.paper.${verb}`, { when: [{ field: 'amount', op: 'lte', value: '100' }] }),
        ),
      ],
      adaId,
    )
    t.equal((await ada('POST', papers, { title: 'a', amount: '100.01' })).status, 403)
    const small = await write(ada, { title: 'small', amount: '100.00' })
    t.equal((await ada('PATCH', path(small), { amount: '101' })).status, 403)
    t.match((await ada('GET', path(small))).body, { amount: '100.00', version: 1 })
    const large = await write(owner, { title: 'large', amount: '1000' })
    for (const reply of [
      await ada('PATCH', path(large), { title: 'x' }),
      await ada('DELETE', path(large)),
      await ada('POST', `${path(large)}/approve`),
    ])
      t.match(reply, { status: 403, body: { code: 'FORBIDDEN', record: large['id'] } })
    t.match(await ada('POST', `${path(small)}/approve`), { status: 200, body: { status: 'approved' } })
    await take(role, adaId)
  })

  await t.test('the list over HTTP is the verdict in memory, field by field', async (t) => {
    const offices: unknown[] = []
    for (const name of ['north', 'south'])
      offices.push((await owner('POST', '/v1/papers/offices', { name })).body['id'])
    for (const send of [owner, admin])
      for (const amount of ['-1', '0', '9', '10', '10.00', '100'])
        await write(send, {
          title: `t${amount}`,
          amount,
          ...(amount === '9' ? {} : { secret: amount, office: offices[0] }),
        })
    const { manifest } = kernel.kernel.registry.pluginFor(
      { id: tenant.id, modules: new Map([['papers', { channel: 'stable' }]]) },
      'papers',
    )
    const spec = manifest.entities['paper']
    if (!spec) throw new Error('no paper')
    const all = (await listed(owner)) as unknown as EntityRecord[]
    const when = fc.oneof(
      fc.record({
        field: fc.constant('amount'),
        op: fc.constantFrom('eq', 'ne', 'gt', 'gte', 'lt', 'lte'),
        value: fc.constantFrom('0', '9', '10.0', '100'),
      }),
      fc.record({
        field: fc.constantFrom('secret', 'office'),
        op: fc.constantFrom('eq', 'ne'),
        value: fc.constant(null),
      }),
      fc.record({
        field: fc.constant('createdBy'),
        op: fc.constantFrom('in'),
        value: fc.subarray([...desk.ids]),
      }),
      fc.constant({ own: true }),
    )
    const rule = fc.record(
      {
        permission: fc.constantFrom('papers.paper.read', 'papers.paper.*'),
        effect: fc.constantFrom('allow', 'allow', 'deny'),
        when: fc.array(when, { minLength: 1, maxLength: 2 }),
        fields: fc.subarray(Object.keys(spec.fields), { minLength: 1 }),
      },
      { requiredKeys: ['permission', 'effect'] },
    ) as fc.Arbitrary<AccessRule>
    const role = await give([], bobId)
    await fc.assert(
      fc.asyncProperty(fc.array(rule, { maxLength: 4 }), async (rules) => {
        t.equal((await owner('PATCH', `${roles}/${role}`, { rules })).status, 200)
        const ability = buildAbility(manifest, {
          ...grantsOf('member', bobId),
          roles: [{ id: '', name: '', rules }],
        })
        const expected = all
          .filter((record) => ability.can('read', { entity: 'paper', record }))
          .map((record) => trimmed(ability, spec, 'paper', record))
        t.same(await listed(bob), expected)
      }),
      { numRuns: 25 },
    )
  })
})
