// Permissions lent and taken back, duties kept apart, and what an administrator is told of a refusal.
import t from 'tap'
import type { Reply, Send } from '../support/kernel.ts'
import { allow, deny, openDesk, papers } from '../support/papers.ts'

const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString()

t.test('lending, duties and explanations', async (t) => {
  const desk = await openDesk(t)
  const { ada, bob, admin, tenant, kernel, give, take } = desk
  const [ownerId, adminId, adaId, bobId] = desk.ids
  const { owner } = tenant
  const delegations = '/v1/tenant/delegations'
  const write = async (send: Send, body: object) => String((await send('POST', papers, body)).body['id'])
  const lend = (send: Send, borrower: string, permissions: string[], rest: object = {}) =>
    send('POST', delegations, { borrower, permissions, endsAt: inDays(1), ...rest })
  const explain = async (query: string) => (await owner('GET', `/v1/tenant/access/explain?${query}`)).body
  const trail = async (record: string) => {
    const { rows } = await kernel.database.admin.query<{
      actor: string
      on_behalf_of: string | null
      action: string
    }>(
      'select actor, on_behalf_of, action from kernel.audit where tenant_id = $1 and record_id = $2 order by id',
      [tenant.id, record],
    )
    return rows
  }

  await t.test(
    'what is lent is used in the lender’s name, and is gone at once when he loses it',
    async (t) => {
      const role = await give(
        [allow('papers.paper.*', { when: [{ own: true }] }), allow('papers.route.seen')],
        adaId,
      )
      const hers = await write(ada, { title: 'hers' })
      t.equal((await bob('GET', `${papers}/${hers}`)).status, 403)
      const lent = await lend(ada, bobId, ['papers.paper.*', 'papers.route.seen'], { reason: 'holiday' })
      t.match(lent, {
        status: 201,
        body: { lender: adaId, borrower: bobId, state: 'running', reason: 'holiday' },
      })
      t.match(await bob('GET', `${papers}/${hers}`), { status: 200 }, 'his lender’s own records')
      t.match(await bob('PATCH', `${papers}/${hers}`, { title: 'changed' }), { status: 200 })
      t.match(await bob('POST', `${papers}/${hers}/approve`), { status: 200 })
      t.match(await bob('GET', '/v1/papers/seen'), { status: 200, body: [{ title: 'changed' }] })
      t.same(await trail(hers), [
        { actor: adaId, on_behalf_of: null, action: 'create' },
        { actor: bobId, on_behalf_of: adaId, action: 'update' },
        { actor: bobId, on_behalf_of: adaId, action: 'approve' },
      ])
      t.match(await lend(bob, adminId, ['papers.paper.read']), { status: 403 }, 'it is not lent on')
      t.match((await bob('GET', delegations)).body, { items: [{ id: lent.body['id'] }] })
      t.match(
        (await admin('GET', delegations)).body,
        { items: [{ id: lent.body['id'] }] },
        'who manages them sees all',
      )
      await take(role, adaId)
      t.equal((await bob('GET', `${papers}/${hers}`)).status, 403)
      const again = await give([allow('papers.paper.read')], adaId)
      t.equal((await bob('GET', `${papers}/${hers}`)).status, 200, 'what she has again is lent again')
      t.equal((await ada('DELETE', `${delegations}/${String(lent.body['id'])}`)).status, 204)
      t.equal((await bob('GET', `${papers}/${hers}`)).status, 403)
      t.match((await ada('GET', delegations)).body, { items: [{ state: 'ended' }] })
      await take(again, adaId)
    },
  )

  await t.test('a loan has its dates, its names, and somebody else for its borrower', async (t) => {
    const role = await give(
      [
        allow('papers.paper.read'),
        deny('papers.paper.read', { when: [{ field: 'amount', op: 'gt', value: '10' }] }),
      ],
      adaId,
    )
    for (const [borrower, permissions, rest, field] of [
      [adaId, ['papers.paper.read'], {}, 'borrower'],
      [bobId, ['papers.paper.reed'], {}, 'permissions.0'],
      [bobId, ['tenant.roles.manage'], {}, 'permissions.0'],
      [bobId, ['papers.paper.read'], { endsAt: inDays(-1) }, 'endsAt'],
      [bobId, ['papers.paper.read'], { startsAt: inDays(2) }, 'endsAt'],
      [bobId, ['papers.paper.read'], { endsAt: inDays(400) }, 'endsAt'],
      [bobId, [], {}, 'permissions'],
    ] as const)
      t.match(
        await lend(ada, borrower, [...permissions], rest),
        { status: 422, body: { errors: [{ field }] } },
        field,
      )
    t.match(await lend(ada, 'nobody', ['papers.paper.read']), { status: 404 })
    t.match(await lend(ada, bobId, ['papers.paper.read'], { startsAt: inDays(0.5) }), {
      body: { state: 'coming' },
    })
    t.equal((await bob('GET', papers)).status, 403, 'it has not begun')
    await kernel.database.admin.query(
      `update kernel.delegation set starts_at = now() - interval '1 day' where tenant_id = $1`,
      [tenant.id],
    )
    await write(owner, { title: 'cheap', amount: '1' })
    await write(owner, { title: 'dear', amount: '11' })
    // Any change of the tenant's has it read again.
    await take(await give([], bobId), bobId)
    t.notMatch(
      JSON.stringify((await bob('GET', papers)).body),
      'dear',
      'what is denied to the lender is not lent',
    )
    t.match(JSON.stringify((await bob('GET', papers)).body), 'cheap')
    t.equal((await admin('DELETE', `/v1/tenant/members/${adaId}`)).status, 204)
    t.equal((await bob('GET', papers)).status, 403, 'it ends with the membership of its lender')
    await owner('POST', '/v1/tenant/members', { email: `ada-${tenant.slug}@example.com`, role: 'member' })
    t.match(
      (await owner('GET', `/v1/tenant/members/${adaId}/roles`)).body,
      { items: [] },
      'roles end with it too',
    )
    t.equal((await owner('DELETE', `/v1/tenant/roles/${role}`)).status, 204)
  })

  const duty = (first: string, second: string, within: string) =>
    owner('POST', '/v1/tenant/duties', { title: `${first} or ${second}`, first, second, within })

  await t.test(
    'a pair that may not meet in one person is refused however it would come together',
    async (t) => {
      for (const [first, second, within, field] of [
        ['papers.paper.creat', 'papers.paper.approve', 'person', 'first'],
        ['papers.paper.create', 'papers.paper.create', 'person', 'second'],
        ['papers.paper.create', 'papers.office.create', 'record', 'second'],
        ['papers.paper.read', 'papers.paper.approve', 'record', 'first'],
      ] as const)
        t.match(await duty(first, second, within), { status: 422, body: { errors: [{ field }] } }, first)
      const made = await duty('papers.paper.create', 'papers.paper.approve', 'person')
      t.match(made, { status: 201, body: { within: 'person' } })
      t.match(await duty('papers.paper.approve', 'papers.paper.create', 'person'), { status: 409 })
      const drafts = await give([allow('papers.paper.create')], adaId)
      const approves = await give([allow('papers.paper.read'), allow('papers.paper.approve')], bobId)
      const conflict = { status: 403, body: { code: 'DUTY_CONFLICT', first: 'papers.paper.create' } }
      const give2 = (person: string, role: string) =>
        owner('POST', `/v1/tenant/members/${person}/roles`, { role })
      t.match(await give2(adaId, approves), conflict)
      const inUnit = await give([allow('papers.paper.approve', { when: [{ unit: true }] })])
      t.match(await give2(adaId, inUnit), conflict, 'for some records is also both')
      t.match(
        await owner('PATCH', `/v1/tenant/roles/${drafts}`, { rules: [allow('papers.paper.*')] }),
        conflict,
      )
      t.match(await lend(ada, bobId, ['papers.paper.create']), conflict)
      t.equal((await ada('GET', `/v1/tenant/members/${adaId}/roles`)).status, 200)
      const both = await Promise.all([give2(bobId, drafts), give2(adaId, approves)])
      t.same(
        both.map(({ status }) => status),
        [403, 403],
      )
      const { body } = await owner('GET', '/v1/tenant/duties/report')
      t.same(
        (body['items'] as { userId: string }[]).map(({ userId }) => userId).sort(),
        [ownerId, adminId].sort(),
        'owners and admins have both',
      )
      const free = await give([deny('papers.paper.approve')], adminId)
      t.match((await owner('GET', '/v1/tenant/duties/report')).body, { items: { length: 1 } })
      t.match(
        await owner('DELETE', `/v1/tenant/members/${adminId}/roles/${free}`),
        conflict,
        'taking a denial away gives what it denied',
      )
      t.equal((await bob('GET', '/v1/tenant/duties')).status, 403)
      t.equal((await owner('DELETE', `/v1/tenant/duties/${String(made.body['id'])}`)).status, 204)
      await take(free, adminId)
      t.equal((await give2(adaId, approves)).status, 204)
    },
  )

  await t.test(
    'nor does it come together later: by loans to come, by a role that changes, in absence',
    async (t) => {
      const { kernel, tenant, ada, bob, ids, give } = await openDesk(t)
      const [, , adaId, bobId] = ids
      const { owner } = tenant
      const conflict = { status: 403, body: { code: 'DUTY_CONFLICT' } }
      const [first, second] = ['papers.paper.create', 'papers.paper.approve']
      await owner('POST', '/v1/tenant/duties', { title: 'Four eyes', first, second, within: 'person' })
      const lend = (send: Send, permission: string) =>
        send('POST', delegations, {
          borrower: bobId,
          permissions: [permission],
          startsAt: inDays(1),
          endsAt: inDays(2),
        })
      const drafts = await give([allow(first)], adaId)
      const lent = await lend(ada, first)
      t.match(lent, { status: 201, body: { state: 'coming' } })
      t.match(await lend(owner, second), conflict, 'two loans that both begin tomorrow')
      const approves = await give([allow(second)])
      const give2 = (role: string) => owner('POST', `/v1/tenant/members/${bobId}/roles`, { role })
      t.match(await give2(approves), conflict, 'a role before the loan begins')
      const reads = await give([allow('papers.paper.read')], bobId)
      const widen = (rules: object[]) => owner('PATCH', `/v1/tenant/roles/${reads}`, { rules })
      t.match(await widen([allow(second)]), conflict, 'a role that he has, and a loan')
      await owner('DELETE', `/v1/tenant/members/${adaId}/roles/${drafts}`)
      t.match(await give2(approves), conflict, 'what its lender has lost comes back with it')
      t.equal((await bob('DELETE', `${delegations}/${String(lent.body['id'])}`)).status, 204)
      await give2(drafts)
      const member = `/v1/tenant/members/${bobId}`
      t.match(await owner('PATCH', member, { active: false }), { status: 200 })
      t.match(await widen([allow(second)]), conflict, 'he will have both when he is back')
      t.match(await widen([allow('papers.office.read')]), { status: 200 })
      t.match(await owner('PATCH', member, { active: true }), { status: 200 })
      const { rows } = await kernel.database.admin.query(
        'select from kernel.member_role where tenant_id = $1 and user_id = $2',
        [tenant.id, bobId],
      )
      t.equal(rows.length, 2)
      t.equal((await bob('GET', papers)).status, 403)
    },
  )

  await t.test('who drafts does not approve, also in another’s name and at the same moment', async (t) => {
    const made = await duty('papers.paper.create', 'papers.paper.approve', 'record')
    await duty('papers.paper.update', 'papers.paper.approve', 'record')
    const approve = (send: Send, id: string) => send('POST', `${papers}/${id}/approve`)
    const conflict = { status: 403, body: { code: 'DUTY_CONFLICT' } }
    const paper = await write(ada, { title: 'drafted by ada' })
    const refused = await approve(ada, paper)
    t.match(refused, conflict)
    t.match(await explain(`decision=${String(refused.body['decision'])}`), {
      decidedBy: 'duty',
      allowed: false,
      changes: [{ kind: 'otherPerson' }],
    })
    await owner('PATCH', `${papers}/${paper}`, { title: 'changed by the owner' })
    t.match(await approve(owner, paper), conflict, 'whoever it is')
    t.match(await approve(bob, paper), { status: 200, body: { status: 'approved' } })
    const second = await write(owner, { title: 'drafted by the owner' })
    const lent = await lend(owner, adaId, ['papers.paper.read', 'papers.paper.approve'])
    const role = (await ada('GET', `/v1/tenant/members/${adaId}/roles`)).body['items'] as { id: string }[]
    for (const { id } of role) await take(id, adaId)
    t.match(await approve(ada, second), conflict, 'in the name of who drafted it')
    await ada('DELETE', `${delegations}/${String(lent.body['id'])}`)
    const third = await write(bob, { title: 'x' }).catch(() => '')
    t.equal(third, 'undefined', 'bob does not create')
    const fourth = await write(owner, { title: 'raced' })
    const raced: Reply[] = await Promise.all([
      admin('PATCH', `${papers}/${fourth}`, { title: 'y' }),
      approve(admin, fourth),
    ])
    const acts = (await trail(fourth)).filter(({ actor }) => actor === adminId).map(({ action }) => action)
    t.equal(acts.length, 1, `one of the two was first: ${raced.map(({ status }) => status)}`)
    await owner('DELETE', `/v1/tenant/duties/${String(made.body['id'])}`)
    t.match(await approve(owner, second), { status: 200 }, 'kept apart no longer')
  })

  await t.test('a refusal says where it came from, and the change it names allows it', async (t) => {
    for (const { id } of (await bob('GET', `/v1/tenant/members/${bobId}/roles`)).body['items'] as {
      id: string
    }[])
      await take(id, bobId)
    const dear = await write(owner, { title: 'dear', amount: '50', secret: 's' })
    const none = await bob('GET', papers)
    t.match(none, { status: 403, body: { permission: 'papers.paper.read', decision: /^[\w-]{100,}$/ } })
    t.match(await explain(`decision=${String(none.body['decision'])}`), {
      question: { user: bobId, action: 'papers.paper.read' },
      allowed: false,
      decidedBy: 'role',
      changes: [{ kind: 'assignRole' }],
    })
    const reader = await give([allow('papers.paper.read', { fields: ['title', 'amount'] })])
    t.match((await explain(`user=${bobId}&action=papers.paper.read&record=${dear}`))['changes'], [
      { kind: 'assignRole' },
    ])
    await owner('POST', `/v1/tenant/members/${bobId}/roles`, { role: reader })
    t.match(await explain(`user=${bobId}&action=papers.paper.read&record=${dear}`), {
      allowed: true,
      steps: { length: 4 },
    })
    const filtered = await bob('GET', `${papers}?secret=s`)
    t.match(await explain(`decision=${String(filtered.body['decision'])}`), {
      decidedBy: 'field',
      question: { field: 'secret' },
    })
    const denial = await give(
      [
        deny('papers.paper.update'),
        deny('papers.paper.read', { when: [{ field: 'amount', op: 'gte', value: '50' }] }),
      ],
      bobId,
    )
    const denied = await explain(`user=${bobId}&action=papers.paper.read&record=${dear}`)
    t.match(denied, {
      allowed: false,
      decidedBy: 'role',
      changes: [{ kind: 'removeRule', text: /^Take rule 1 / }],
    })
    await owner('PATCH', `/v1/tenant/roles/${denial}`, { rules: [deny('papers.paper.update')] })
    t.equal((await bob('GET', `${papers}/${dear}`)).status, 200)
    t.match(await explain(`user=nobody&action=papers.paper.read`), { decidedBy: 'membership' })
    t.match(await explain(`user=${bobId}&action=finance.account.read`), {
      decidedBy: 'entitlement',
      changes: [{ kind: 'enableModule' }],
    })
    t.match(await explain(`user=${bobId}&action=tenant.settings.update`), {
      decidedBy: 'role',
      allowed: false,
      changes: [{ kind: 'addRule' }],
    })
    t.match(await explain(`user=${adminId}&action=tenant.settings.update`), { allowed: true })
    t.match(await explain('user=x&action=papers.needs.sql.read'), { decidedBy: 'plugin', allowed: false })
    t.match(await owner('GET', '/v1/tenant/access/explain?user=x'), {
      status: 422,
      body: { errors: [{ field: 'action' }] },
    })
    t.match(
      await owner('GET', `/v1/tenant/access/explain?user=${bobId}&action=papers.paper.read&record=${bobId}`),
      { status: 404 },
    )
  })
})
