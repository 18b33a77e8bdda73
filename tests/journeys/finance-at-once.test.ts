// The ledger under requests at the same moment, and the drafts that could stand in the way of a reversal.
import t from 'tap'
import { type Send, testKernel } from '../support/kernel.ts'
import { someoneWaitsForALock } from '../support/waiting.ts'

const accounts = '/v1/finance/accounts'
const entries = '/v1/finance/journal-entries'
const usd = (amount: string) => ({ amount, currency: 'USD' })

t.test('the ledger under requests at once', async (t) => {
  const kernel = await testKernel(t)
  const { admin } = kernel.database
  const tenant = await kernel.openTenant('finance')
  const { owner } = tenant
  const addAccount = async (code: string) =>
    String((await owner('POST', accounts, { code, name: `Account ${code}`, type: 'asset' })).body['id'])
  const a = await addAccount('1000')
  const b = await addAccount('2000')
  const entry = (debit: string, credit: string) => ({
    date: '2026-03-31',
    description: 'Test',
    lines: [
      { account: debit, debit: usd('5.00') },
      { account: credit, credit: usd('5.00') },
    ],
  })
  const draft = async (send: Send, body: object) => String((await send('POST', entries, body)).body['id'])

  await t.test('a draft cannot say that it reverses an entry, and so cannot be in the way', async (t) => {
    const member = await kernel.addMember(tenant, 'member')
    const original = await draft(owner, entry(a, b))
    t.match(await owner('POST', `${entries}/${original}/post`), { status: 200 })
    const claim = { ...entry(b, a), reversalOf: original }
    const refused = { status: 422, body: { code: 'REVERSAL_BY_ACTION', errors: [{ field: 'reversalOf' }] } }
    t.match(await member('POST', entries, claim), refused)
    const own = await draft(member, entry(b, a))
    t.match(await member('PATCH', `${entries}/${own}`, { reversalOf: original }), refused)
    const reply = await owner('POST', `${entries}/${original}/reverse`, { date: '2026-04-01' })
    t.match(reply, { status: 201, body: { status: 'posted', reversalOf: original } })
  })

  await t.test('of two reversals at once one is made', async (t) => {
    const original = await draft(owner, entry(a, b))
    await owner('POST', `${entries}/${original}/post`)
    const replies = await Promise.all(
      Array.from({ length: 4 }, () =>
        owner('POST', `${entries}/${original}/reverse`, { date: '2026-04-01' }),
      ),
    )
    t.same(replies.map(({ status }) => status).sort(), [201, 409, 409, 409])
  })

  await t.test(
    'an account that is made inactive at the same moment takes no posting after that',
    async (t) => {
      const closing = await addAccount('3000')
      const id = await draft(owner, entry(closing, b))
      await admin.query('begin')
      await admin.query('update plugin_finance.account set active = false where id = $1', [closing])
      const posting = owner('POST', `${entries}/${id}/post`)
      await someoneWaitsForALock(admin)
      await admin.query('commit')
      t.match(await posting, { status: 422, body: { code: 'ACCOUNT_INACTIVE' } })
      t.match(await owner('GET', `${entries}/${id}`), { body: { status: 'draft' } })
    },
  )

  await t.test('entries on the same accounts in opposite order do not wait in a circle', async (t) => {
    const ids = await Promise.all(
      Array.from({ length: 20 }, (_, index) => draft(owner, index % 2 ? entry(a, b) : entry(b, a))),
    )
    const replies = await Promise.all(ids.map((id) => owner('POST', `${entries}/${id}/post`)))
    t.same(
      replies.map(({ status }) => status),
      ids.map(() => 200),
    )
  })

  await t.test('an entry on more accounts than can be locked is refused with the figure', async (t) => {
    const many = await Promise.all(Array.from({ length: 101 }, (_, index) => addAccount(`9${index}`)))
    const lines = many.flatMap((account) => [
      { account, debit: usd('1.00') },
      { account, credit: usd('1.00') },
    ])
    const body = { date: '2026-03-31', description: 'Many' }
    const wide = await draft(owner, { ...body, lines })
    t.match(await owner('POST', `${entries}/${wide}/post`), {
      status: 422,
      body: { code: 'ENTRY_TOO_MANY_ACCOUNTS' },
    })
    const most = await draft(owner, { ...body, lines: lines.slice(2) })
    t.match(await owner('POST', `${entries}/${most}/post`), { status: 200 }, 'one fewer is posted')
  })
})
