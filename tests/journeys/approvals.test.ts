// Approvals from end to end, with a module in the sandbox: chains, deciding, what ends a request, and what is kept.
import pg from 'pg'
import t from 'tap'
import { createApprovers } from '../../kernel/src/approvals/approvers.ts'
import { remindDue } from '../../kernel/src/approvals/remind.ts'
import { startChangeFeed } from '../../kernel/src/data/change-feed.ts'
import { languageOf } from '../../kernel/src/mail/languages.ts'
import { createMailOutbox } from '../../kernel/src/mail/mail-outbox.ts'
import { createSeal } from '../../kernel/src/outside/seal.ts'
import { controlTransactions } from '../../kernel/src/tenants/control-transaction.ts'
import { createTenantDirectory } from '../../kernel/src/tenants/tenant-directory.ts'
import { testInstallation } from '../support/database.ts'
import { type Reply, type Send, testLog } from '../support/kernel.ts'
import { purchaseKernel, purchases } from '../support/purchases.ts'

const approvals = '/v1/tenant/approvals'
const decide = (send: Send, id: string, decision: string, comment?: string) =>
  send('POST', `${approvals}/${id}/decision`, { decision, ...(comment === undefined ? {} : { comment }) })
/** Newest first; what earlier tests left behind comes after it. */
const inbox = async (send: Send): Promise<string[]> =>
  ((await send('GET', approvals)).body['items'] as { id: string }[]).map(({ id }) => id)
const done = (reply: Reply) =>
  (reply.body['history'] as { what: string; actor: string }[]).map(({ what }) => what)

t.test('approvals', async (t) => {
  const place = await purchaseKernel(t)
  const { kernel, tenant, join, buy, chain } = place
  const { owner } = tenant
  const clerk = await join()
  const lead = await join()
  const admin = await join('admin')
  const other = await join('admin')
  const from = (amount: string) => ({ amount: { currency: 'USD', from: amount } })
  const ask = async (send: Send, amount: string, more?: object) => {
    const purchase = await buy(send, amount, more)
    const reply = await send('POST', `${purchases}/${purchase}/approve`)
    return { purchase, reply, id: String(reply.body['approval']) }
  }
  const statusOf = async (purchase: string) => (await owner('GET', `${purchases}/${purchase}`)).body['status']

  await t.test('without a chain the action runs at once', async (t) => {
    const { reply } = await ask(clerk.send, '10.00')
    t.match(reply, { status: 200, body: { status: 'approved' } })
    const needed = await clerk.send('POST', `${purchases}/${String(reply.body['id'])}/pay`, { paidBy: 'x' })
    t.match(needed, { status: 409, body: { code: 'APPROVAL_CHAIN_MISSING' } })
  })

  const chainId = await chain({
    code: 'usual',
    steps: [
      { title: 'Lead', approvers: [{ person: lead.id }], need: 1 },
      {
        title: 'Two of the top',
        approvers: [{ role: 'admin' }, { role: 'owner' }],
        need: 2,
        when: from('1000'),
      },
    ],
    when: from('100'),
  })

  await t.test('the last approval runs the action, for who asked, and all of it is told', async (t) => {
    t.match((await ask(clerk.send, '99.99')).reply, { status: 200, body: { status: 'approved' } })
    const { purchase, reply, id } = await ask(clerk.send, '5000.00')
    t.match(reply, { status: 202, body: { state: 'open' }, headers: { location: `${approvals}/${id}` } })
    t.equal(await statusOf(purchase), 'draft')
    t.same(await inbox(lead.send), [id])
    t.same(await inbox(admin.send), [])
    t.match(await decide(admin.send, id, 'approve'), { status: 403, body: { code: 'APPROVAL_NOT_YOURS' } })
    t.match(await decide(clerk.send, id, 'approve'), { status: 403, body: { code: 'APPROVAL_OWN' } })
    t.match(await decide(lead.send, id, 'approve', 'good chairs'), {
      status: 200,
      body: { state: 'open', step: 1, waitingFor: ['role:admin', 'role:owner'] },
    })
    t.same(await inbox(lead.send), [])
    t.match(await decide(admin.send, id, 'approve'), { status: 200, body: { state: 'open' } })
    t.same(await inbox(admin.send), [], 'who has agreed is not asked again')
    t.match(await decide(admin.send, id, 'approve'), { status: 409, body: { code: 'APPROVAL_DECIDED' } })
    t.same(await inbox(other.send), [id])
    const last = await decide(other.send, id, 'approve')
    t.match(last, { status: 200, body: { state: 'approved', waitingFor: [] } })
    t.same(done(last), ['requested', 'approved', 'approved', 'approved'])
    t.match(await owner('GET', `${purchases}/${purchase}`), {
      body: { status: 'approved', paidBy: other.id },
    })
    t.match(await decide(owner, id, 'approve'), { status: 409, body: { code: 'APPROVAL_ENDED' } })
    t.match((await clerk.send('GET', `${approvals}?box=requested&state=approved`)).body['items'], [{ id }])
    const { rows } = await kernel.database.admin.query(
      `SELECT actor, on_behalf_of, action FROM kernel.audit WHERE tenant_id = $1 AND entity = 'purchase'
         AND record_id = $2 AND action = 'approve'`,
      [tenant.id, purchase],
    )
    t.same(rows, [{ actor: other.id, on_behalf_of: clerk.id, action: 'approve' }])
  })

  await t.test(
    'a rejection runs what the module wants done then; a return and a withdrawal do nothing',
    async (t) => {
      const rejected = await ask(clerk.send, '200.00')
      t.match(await decide(lead.send, rejected.id, 'reject', 'no'), {
        status: 200,
        body: { state: 'rejected' },
      })
      t.equal(await statusOf(rejected.purchase), 'declined')
      const returned = await ask(clerk.send, '200.00')
      const back = await decide(lead.send, returned.id, 'return', 'which chairs?')
      t.match(back, { status: 200, body: { state: 'returned', history: [{}, { comment: 'which chairs?' }] } })
      t.equal(await statusOf(returned.purchase), 'draft')
      const again = await clerk.send('POST', `${purchases}/${returned.purchase}/approve`)
      t.equal(again.status, 202)
      const path = `${approvals}/${String(again.body['approval'])}`
      t.match(await lead.send('POST', `${path}/withdraw`, {}), { status: 403 })
      t.match(await clerk.send('POST', `${path}/withdraw`, { comment: 'enough' }), {
        status: 200,
        body: { state: 'withdrawn' },
      })
    },
  )

  await t.test('a record has one request at a time, and one that changed is another', async (t) => {
    const { purchase, id } = await ask(clerk.send, '200.00')
    const path = `${purchases}/${purchase}`
    t.match(await clerk.send('POST', `${path}/approve`), { status: 409, body: { code: 'APPROVAL_PENDING' } })
    t.equal(
      (await clerk.send('PATCH', path, { total: { amount: '900000.00', currency: 'USD' } })).status,
      200,
    )
    t.match(await decide(lead.send, id, 'approve'), { status: 409, body: { code: 'APPROVAL_OUTDATED' } })
    t.match(await clerk.send('GET', `${approvals}/${id}`), { body: { state: 'outdated' } })
    t.equal(await statusOf(purchase), 'draft')
    t.equal((await clerk.send('POST', `${path}/approve`)).status, 202)
  })

  await t.test('what the action refuses at the end undoes the last decision', async (t) => {
    const { purchase, id } = await ask(clerk.send, '200.00', { what: 'yacht' })
    t.match(await decide(lead.send, id, 'approve'), { status: 409, body: { code: 'BUDGET_SPENT' } })
    t.match(await lead.send('GET', `${approvals}/${id}`), {
      body: { state: 'open', history: [{ what: 'requested' }] },
    })
    t.equal(await statusOf(purchase), 'draft')
  })

  await t.test('a module asks itself, in an action that changes the record too', async (t) => {
    const purchase = await buy(clerk.send, '200.00')
    t.match(await clerk.send('POST', `${purchases}/${purchase}/submit`, {}), {
      status: 200,
      body: { status: 'submitted' },
    })
    const [id = ''] = await inbox(lead.send)
    t.match(await decide(lead.send, id, 'approve'), { status: 200, body: { state: 'approved' } })
    t.equal(await statusOf(purchase), 'approved')
    const small = await buy(clerk.send, '1.00')
    t.match(await clerk.send('POST', `${purchases}/${small}/submit`, {}), { body: { status: 'approved' } })
    const named = await buy(clerk.send, '1.00')
    t.match(await clerk.send('POST', `${purchases}/${named}/submit`, { chain: 'none' }), {
      status: 409,
      body: { code: 'APPROVAL_CHAIN_MISSING' },
    })
  })

  await t.test('of all who decide at once one is last', async (t) => {
    const { purchase, id } = await ask(clerk.send, '5000.00')
    await decide(lead.send, id, 'approve')
    const replies = await Promise.all(
      [admin.send, other.send, owner].map((send) => decide(send, id, 'approve')),
    )
    t.same(replies.map(({ status }) => status).sort(), [200, 200, 409])
    const { body } = await owner('GET', `${approvals}/${id}`)
    t.match(body, { state: 'approved' })
    t.equal((body['history'] as unknown[]).length, 4)
    t.equal(await statusOf(purchase), 'approved')
    const opposed = await ask(clerk.send, '200.00')
    const both = await Promise.all([
      decide(lead.send, opposed.id, 'approve'),
      decide(lead.send, opposed.id, 'reject'),
    ])
    t.same(both.map(({ status }) => status).sort(), [200, 409])
  })

  await t.test('who stands in decides as the other, and not for who asked', async (t) => {
    const today = new Date().toISOString().slice(0, 10)
    const absences = '/v1/tenant/absences'
    const away = { substitute: other.id, from: today, to: today }
    t.match(await clerk.send('POST', absences, { ...away, person: lead.id }), { status: 403 })
    t.match(await lead.send('POST', absences, { ...away, substitute: 'nobody' }), {
      status: 422,
      body: { errors: [{ field: 'substitute' }] },
    })
    const absence = await lead.send('POST', absences, away)
    t.equal(absence.status, 201)
    const { id, purchase } = await ask(clerk.send, '200.00')
    t.equal((await inbox(other.send))[0], id)
    t.match(await decide(other.send, id, 'approve'), {
      status: 200,
      body: { state: 'approved', history: [{}, { actor: other.id, standsFor: lead.id }] },
    })
    t.equal(await statusOf(purchase), 'approved')
    const own = await ask(lead.send, '200.00').then(({ reply }) => reply)
    t.match(own, { status: 409, body: { code: 'APPROVAL_NOBODY' } }, 'the lead cannot agree to his own')
    t.equal((await lead.send('DELETE', `${absences}/${String(absence.body['id'])}`)).status, 204)
    const after = await ask(clerk.send, '200.00')
    t.notOk((await inbox(other.send)).includes(after.id))
    t.match(await decide(other.send, after.id, 'approve'), { status: 403 })
  })

  await t.test('approvers are found in the organisation: superiors, positions, and the unit', async (t) => {
    const base = '/v1/organisation'
    const add = async (path: string, body: object) => {
      const reply = await owner('POST', `${base}/${path}`, { validFrom: '2020-01-01', ...body })
      t.equal(reply.status, 201, JSON.stringify(reply.body))
      return String(reply.body['id'])
    }
    const company = await add('units', { code: 'C', name: 'Company', kind: 'legalEntity' })
    const shop = await add('units', { code: 'S', name: 'Shop', kind: 'department' })
    await add('placements', { unit: shop, parent: company })
    const position = (code: string) => add('positions', { code, title: code, unit: shop })
    const [seat, manager, finance] = [
      await position('SEAT'),
      await position('MANAGER'),
      await position('FINANCE'),
    ]
    await add('reporting-lines', { position: seat, manager })
    await add('assignments', { position: seat, person: clerk.id })
    await add('assignments', { position: manager, person: lead.id })
    const held = await add('assignments', { position: finance, person: other.id })
    await owner('DELETE', `/v1/tenant/approval-chains/${chainId}`)
    await chain({
      code: 'by-unit',
      when: { unit: company },
      rank: 1,
      steps: [
        { title: 'Superior and finance', approvers: [{ superior: 1 }, { position: finance }], need: 'all' },
      ],
    })
    const inShop = await ask(clerk.send, '1.00', { department: shop })
    t.equal((await inbox(lead.send))[0], inShop.id)
    t.equal((await inbox(other.send))[0], inShop.id)
    t.match(await decide(lead.send, inShop.id, 'approve'), {
      body: { state: 'open', waitingFor: [`position:${finance}`] },
    })
    // Whoever holds the position on the day decides, and nobody who held it before.
    await owner('DELETE', `${base}/assignments/${held}`)
    await add('assignments', { position: finance, person: admin.id })
    t.match(await decide(other.send, inShop.id, 'approve'), { status: 403 })
    t.match(await decide(admin.send, inShop.id, 'approve'), { body: { state: 'approved' } })
    const elsewhere = await add('units', { code: 'E', name: 'Elsewhere', kind: 'branch' })
    t.match((await ask(clerk.send, '1.00', { department: elsewhere })).reply, { status: 200 })
    t.match((await ask(lead.send, '1.00', { department: shop })).reply, {
      status: 409,
      body: { code: 'APPROVAL_NOBODY', step: 'Superior and finance' },
    })
  })

  await t.test('chains name what is there, and are changed by who knows them', async (t) => {
    const url = '/v1/tenant/approval-chains'
    const step = { title: 'One', approvers: [{ role: 'admin' }], need: 1 }
    const values = {
      code: 'x',
      title: 'X',
      module: 'purchases',
      entity: 'purchase',
      action: 'pay',
      steps: [step],
    }
    t.match(await clerk.send('POST', url, values), { status: 403, body: { code: 'FORBIDDEN' } })
    t.match(await owner('POST', url, { ...values, action: 'decline' }), {
      status: 422,
      body: { errors: [{ field: 'action', code: 'UNKNOWN_ACTION' }] },
    })
    const stranger = { ...step, approvers: [{ role: 'admin' }, { person: 'stranger' }] }
    t.match(await owner('POST', url, { ...values, steps: [step, stranger] }), {
      status: 422,
      body: { errors: [{ field: 'steps.1.approvers.1' }] },
    })
    t.match(await owner('POST', url, { ...values, steps: [] }), {
      status: 422,
      body: { errors: [{ field: /steps/ }] },
    })
    const made = await owner('POST', url, values)
    t.match(made, { status: 201, body: { version: 1, rank: 100, active: true } })
    t.match(await owner('POST', url, values), { status: 409, body: { code: 'RECORD_CONFLICT' } })
    const path = `${url}/${String(made.body['id'])}`
    t.match(await owner('PUT', path, { ...values, active: false }, { 'if-match': '"9"' }), { status: 412 })
    t.match(await owner('PUT', path, { ...values, active: false }, { 'if-match': '"1"' }), {
      status: 200,
      body: { version: 2, active: false },
    })
    t.match(await owner('GET', url), { body: { items: [{ code: 'by-unit' }, { code: 'x' }] } })
    t.equal((await owner('DELETE', path)).status, 204)
    t.equal((await owner('GET', path)).status, 404)
  })

  await t.test(
    'who is waited for is reminded, once by all processes together, until somebody decides',
    async (t) => {
      const { access, admin: database } = kernel.database
      const pool = new pg.Pool(access.kernel)
      t.teardown(() => pool.end())
      const feed = await startChangeFeed({ connection: access.kernel, log: testLog })
      t.teardown(() => feed.close())
      const directory = createTenantDirectory(pool, feed)
      const parts = {
        runControl: controlTransactions(pool, feed),
        approvers: createApprovers(pool),
        outbox: createMailOutbox(createSeal(testInstallation.secret), true),
        log: testLog,
        findTenant: directory.find,
        // Nobody is named by a position here.
        askOrganisation: () => async () => undefined,
        languageOf,
      }
      const step = { title: 'Two admins', approvers: [{ role: 'admin' }], need: 2, remindAfterHours: 1 }
      await chain({ code: 'reminding', rank: 0, steps: [step] })
      const { id } = await ask(clerk.send, '1.00')
      await decide(other.send, id, 'approve')
      t.equal(await remindDue(parts), 0, 'not yet')
      const pass = () =>
        database.query("UPDATE kernel.approval SET remind_at = now() - interval '1 minute' WHERE id = $1", [
          id,
        ])
      const told = async () =>
        (
          await database.query<{ recipient: string }>(
            `SELECT u.id AS recipient FROM kernel.mail m JOIN identity."user" u ON u.email = m.recipient
            WHERE m.kind = 'approval-waiting'`,
          )
        ).rows.map(({ recipient }) => recipient)
      await pass()
      const rounds = await Promise.all([remindDue(parts), remindDue(parts), remindDue(parts)])
      t.equal(rounds[0] + rounds[1] + rounds[2], 1)
      t.same(await told(), [admin.id], 'not who has agreed')
      t.equal(await remindDue(parts), 0, 'an hour later, and not before')
      await pass()
      t.equal(await remindDue(parts), 1)
      t.equal((await told()).length, 2)
      const last = await decide(admin.send, id, 'approve')
      t.same(done(last), ['requested', 'approved', 'reminded', 'reminded', 'approved'])
      t.equal(await remindDue(parts), 0)
    },
  )
})
