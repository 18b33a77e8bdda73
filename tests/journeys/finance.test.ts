// The ledger over HTTP: drafts, posting, reversing, and every refusal with its code and its line.
import t from 'tap'
import { type Reply, type Send, testKernel } from '../support/kernel.ts'

interface Line {
  readonly account: string
  readonly debit?: { amount: string; currency: string }
  readonly credit?: { amount: string; currency: string }
}

const usd = (amount: string) => ({ amount, currency: 'USD' })
const entries = '/v1/finance/journal-entries'

async function addAccount(send: Send, code: string, type = 'asset'): Promise<string> {
  const { body } = await send('POST', '/v1/finance/accounts', { code, name: `Account ${code}`, type })
  return String(body['id'])
}

const draftOf = (lines: readonly Line[], date = '2026-03-31') => ({ date, description: 'Test', lines })

async function posted(send: Send, lines: readonly Line[], date?: string): Promise<Reply> {
  const draft = await send('POST', entries, draftOf(lines, date))
  return draft.status === 201 ? send('POST', `${entries}/${String(draft.body['id'])}/post`) : draft
}

t.test('the ledger', async (t) => {
  const kernel = await testKernel(t)
  const tenant = await kernel.openTenant('finance')
  const { owner } = tenant
  const cash = await addAccount(owner, '1000')
  const sales = await addAccount(owner, '4000', 'income')
  const both = (amount: string): Line[] => [
    { account: cash, debit: usd(amount) },
    { account: sales, credit: usd(amount) },
  ]
  const count = async () =>
    Number(
      (await kernel.database.admin.query('SELECT count(*) FROM plugin_finance.journal_entry')).rows[0]?.count,
    )

  t.test('a draft has no number; posting gives it one and makes it final', async (t) => {
    const draft = await owner('POST', entries, draftOf(both('10.00')))
    t.match(draft, { status: 201, body: { status: 'draft', version: 1 } })
    t.notOk('number' in draft.body)
    t.equal(draft.headers['location'], `${entries}/${String(draft.body['id'])}`)
    const path = `${entries}/${String(draft.body['id'])}`
    t.match(await owner('PATCH', path, { description: 'Changed' }), { status: 200, body: { version: 2 } })
    const done = await owner('POST', `${path}/post`)
    t.match(done, { status: 200, body: { status: 'posted', number: 'JE-2026-00001' } })
    t.match(await owner('PATCH', path, { description: 'No' }), {
      status: 409,
      body: { code: 'RECORD_IMMUTABLE' },
    })
    t.match(await owner('DELETE', path), { status: 409, body: { code: 'RECORD_IMMUTABLE' } })
    t.match(await owner('POST', `${path}/post`), { status: 409, body: { code: 'TRANSITION_INVALID' } })
    t.match(await owner('GET', path), { body: { description: 'Changed', lines: both('10.00') } })
  })

  t.test('a reversal is a linked entry with the sides swapped, and there is one at most', async (t) => {
    const original = await posted(owner, both('25.50'))
    const path = `${entries}/${String(original.body['id'])}/reverse`
    const counter = await owner('POST', path, { date: '2026-04-01' })
    t.match(counter, {
      status: 201,
      body: {
        status: 'posted',
        date: '2026-04-01',
        reversalOf: original.body['id'],
        lines: [
          { account: cash, credit: usd('25.50') },
          { account: sales, debit: usd('25.50') },
        ],
      },
    })
    t.match(await owner('POST', path, { date: '2026-04-02' }), {
      status: 409,
      body: { code: 'ENTRY_ALREADY_REVERSED' },
    })
    const draft = await owner('POST', entries, draftOf(both('1.00')))
    const early = await owner('POST', `${entries}/${String(draft.body['id'])}/reverse`, {
      date: '2026-04-01',
    })
    t.match(early, { status: 409, body: { code: 'ENTRY_NOT_POSTED' } })
    t.match(await owner('POST', path, {}), {
      status: 422,
      body: { errors: [{ field: 'date', code: 'REQUIRED' }] },
    })
  })

  t.test(
    'what may not enter the books is refused with a code and the line, and changes nothing',
    async (t) => {
      const inactive = await addAccount(owner, '1999')
      await owner('PATCH', `/v1/finance/accounts/${inactive}`, { active: false })
      const elsewhere = await kernel.openTenant('finance')
      const foreign = await addAccount(elsewhere.owner, '1000')
      const line = (account: string, side: Partial<Line>): Line => ({ account, ...side })
      const refusals: readonly [string, Line[], string, string][] = [
        [
          'unbalanced by 0.01',
          [line(cash, { debit: usd('10.00') }), line(sales, { credit: usd('9.99') })],
          'ENTRY_UNBALANCED',
          'lines',
        ],
        ['one line', [line(cash, { debit: usd('10.00') })], 'ENTRY_TOO_FEW_LINES', 'lines'],
        ['no line', [], 'ENTRY_TOO_FEW_LINES', 'lines'],
        [
          'both sides',
          [line(cash, { debit: usd('1.00'), credit: usd('1.00') }), ...both('1.00')],
          'LINE_ONE_SIDE',
          'lines.0',
        ],
        ['neither side', [...both('1.00'), line(cash, {})], 'LINE_ONE_SIDE', 'lines.2'],
        [
          'a negative amount',
          [...both('1.00'), line(cash, { debit: usd('-1.00') })],
          'LINE_AMOUNT_NOT_POSITIVE',
          'lines.2.debit',
        ],
        [
          'an inactive account',
          [line(inactive, { debit: usd('1.00') }), line(sales, { credit: usd('1.00') })],
          'ACCOUNT_INACTIVE',
          'lines.0.account',
        ],
        [
          'an unknown account',
          [
            line(sales, { debit: usd('1.00') }),
            line('019a0000-0000-7000-8000-000000000000', { credit: usd('1.00') }),
          ],
          'ACCOUNT_UNKNOWN',
          'lines.1.account',
        ],
        [
          "another tenant's account",
          [line(foreign, { debit: usd('1.00') }), line(sales, { credit: usd('1.00') })],
          'ACCOUNT_UNKNOWN',
          'lines.0.account',
        ],
        ['too many decimals', both('1.001'), 'VALIDATION_FAILED', 'lines.0.debit.amount'],
        [
          'two currencies that do not balance each',
          [line(cash, { debit: usd('1.00') }), line(sales, { credit: { amount: '1.00', currency: 'EUR' } })],
          'ENTRY_UNBALANCED',
          'lines',
        ],
        [
          'an unknown currency',
          [line(cash, { debit: { amount: '1.00', currency: 'XXZ' } }), ...both('1.00')],
          'VALIDATION_FAILED',
          'lines.0.debit.currency',
        ],
      ]
      const before = await kernel.database.admin.query(
        'SELECT last FROM plugin_finance.number_series ORDER BY 1',
      )
      for (const [name, lines, code, field] of refusals) {
        const rows = await count()
        const draft = await owner('POST', entries, draftOf(lines))
        const isDraft = draft.status === 201
        const refused = isDraft ? await owner('POST', `${entries}/${String(draft.body['id'])}/post`) : draft
        t.match(refused.body, { code, errors: [{ field }] }, name)
        t.ok(refused.status === 422 || refused.status === 409, `${name}: ${refused.status}`)
        if (isDraft) {
          t.match(
            await owner('GET', `${entries}/${String(draft.body['id'])}`),
            { body: { status: 'draft', version: 1 } },
            name,
          )
        } else t.equal(await count(), rows, name)
      }
      const after = await kernel.database.admin.query(
        'SELECT last FROM plugin_finance.number_series ORDER BY 1',
      )
      t.same(after.rows, before.rows, 'no number was taken')
    },
  )

  t.test('a currency without decimals takes none', async (t) => {
    const yen = (amount: string) => [
      { account: cash, debit: { amount, currency: 'JPY' } },
      { account: sales, credit: { amount, currency: 'JPY' } },
    ]
    t.match(await posted(owner, yen('100.5')), {
      status: 422,
      body: { errors: [{ field: 'lines.0.debit.amount' }] },
    })
    t.match(await posted(owner, yen('100')), { status: 200 })
    const report = await owner('GET', '/v1/finance/reports/trial-balance?asOf=2026-12-31')
    t.match(
      (report.body['totals'] as { currency: string }[]).find((total) => total.currency === 'JPY'),
      {
        debit: '100',
        credit: '100',
      },
    )
  })

  t.test('nothing is posted into a locked period, and opening it again lets it in', async (t) => {
    const locked = await owner('PATCH', '/v1/tenant/settings/finance', { lockedThrough: '2026-06-30' })
    t.match(locked, { status: 200, body: { lockedThrough: '2026-06-30' } })
    const refused = await posted(owner, both('1.00'), '2026-06-30')
    t.match(refused, { status: 422, body: { code: 'PERIOD_LOCKED', errors: [{ field: 'date' }] } })
    t.match(await posted(owner, both('1.00'), '2026-07-01'), { status: 200 })
    t.match(await owner('PATCH', '/v1/tenant/settings/finance', { lockedThrough: null }), {
      status: 200,
      body: {},
    })
    t.match(await posted(owner, both('1.00'), '2026-06-30'), { status: 200 })
    const wrong = await owner('PATCH', '/v1/tenant/settings/finance', { lockedThrough: '2026-02-30' })
    t.match(wrong, { status: 422, body: { errors: [{ field: 'lockedThrough' }] } })
  })

  t.test('fifty postings at once are numbered without a gap or a duplicate', async (t) => {
    const fresh = await kernel.openTenant('finance')
    const a = await addAccount(fresh.owner, '1')
    const b = await addAccount(fresh.owner, '2')
    const lines = [
      { account: a, debit: usd('1.00') },
      { account: b, credit: usd('1.00') },
    ]
    // Every fifth is unbalanced: a number that a refused posting took would leave a gap.
    const all = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        posted(fresh.owner, index % 5 === 0 ? lines.slice(0, 1) : lines, '2026-05-05'),
      ),
    )
    const numbers = all.filter((reply) => reply.status === 200).map((reply) => String(reply.body['number']))
    t.same(
      numbers.sort(),
      Array.from({ length: 40 }, (_, index) => `JE-2026-${String(index + 1).padStart(5, '0')}`),
    )
    const report = await fresh.owner('GET', '/v1/finance/reports/trial-balance?asOf=2026-12-31')
    t.same(report.body['totals'], [{ currency: 'USD', debit: '40.00', credit: '40.00' }])
  })

  t.test('one draft posted ten times at once is posted once', async (t) => {
    const draft = await owner('POST', entries, draftOf(both('7.00')))
    const path = `${entries}/${String(draft.body['id'])}/post`
    const replies = await Promise.all(Array.from({ length: 10 }, () => owner('POST', path)))
    t.equal(replies.filter((reply) => reply.status === 200).length, 1)
    t.ok(replies.every((reply) => reply.status === 200 || reply.body['code'] === 'TRANSITION_INVALID'))
  })

  t.test('an account with postings cannot be deleted, one without can', async (t) => {
    t.match(await owner('DELETE', `/v1/finance/accounts/${cash}`), {
      status: 409,
      body: { code: 'RECORD_IN_USE' },
    })
    const unused = await addAccount(owner, '1888')
    t.match(await owner('DELETE', `/v1/finance/accounts/${unused}`), { status: 204 })
  })

  t.test('a member sees the ledger, edits his own drafts and posts nothing', async (t) => {
    const member = await kernel.addMember(tenant, 'member')
    const his = await member('POST', entries, draftOf(both('3.00')))
    t.match(his, { status: 201 })
    const path = `${entries}/${String(his.body['id'])}`
    t.match(await member('PATCH', path, { description: 'His' }), { status: 200 })
    t.match(await member('POST', `${path}/post`), { status: 403, body: { code: 'FORBIDDEN' } })
    const hers = await owner('POST', entries, draftOf(both('4.00')))
    const other = `${entries}/${String(hers.body['id'])}`
    t.match(await member('PATCH', other, { description: 'Not his' }), {
      status: 403,
      body: { code: 'FORBIDDEN' },
    })
    t.match(await member('DELETE', other), { status: 403 })
    t.match(await member('POST', '/v1/finance/accounts', { code: '9', name: 'No', type: 'asset' }), {
      status: 403,
    })
    t.match(await member('GET', '/v1/finance/reports/trial-balance?asOf=2026-12-31'), { status: 200 })
    t.match(await member('DELETE', path), { status: 204 })
  })

  t.test('every change leaves an audit row with before and after', async (t) => {
    const { body } = await owner('POST', '/v1/finance/accounts', {
      code: '1777',
      name: 'Audited',
      type: 'asset',
    })
    const path = `/v1/finance/accounts/${String(body['id'])}`
    await owner('PATCH', path, { name: 'Renamed' }, { 'x-request-id': 'audit-test-1' })
    await owner('DELETE', path)
    const { rows } = await kernel.database.admin.query(
      'SELECT action, request_id, before, after FROM kernel.audit WHERE record_id = $1 ORDER BY id',
      [body['id']],
    )
    t.match(rows, [
      { action: 'create', before: null, after: { name: 'Audited' } },
      {
        action: 'update',
        request_id: 'audit-test-1',
        before: { name: 'Audited' },
        after: { name: 'Renamed' },
      },
      { action: 'delete', before: { name: 'Renamed' }, after: null },
    ])
  })
})
