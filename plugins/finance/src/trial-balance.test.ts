import { addDecimals, compareDecimals } from '@plinth/sdk'
import fc from 'fast-check'
import t from 'tap'
import type { JournalLine } from './entities/journal-entry.ts'
import { swapSides } from './reversal.ts'
import { balancedLines } from './testing/balanced-lines.ts'
import { type Movement, movementOf, trialBalance } from './trial-balance.ts'

/** What the report's query does: sums by account and currency. */
function movementsOf(lines: readonly JournalLine[]): Movement[] {
  const sums = new Map<string, Movement>()
  for (const { account: id, debit, credit } of lines) {
    const currency = (debit ?? credit)?.currency ?? ''
    const key = `${id} ${currency}`
    const so = sums.get(key)
    sums.set(key, {
      account: { id, code: id, name: id, type: 'asset' },
      currency,
      debit: addDecimals(so?.debit ?? '0', debit?.amount ?? '0'),
      credit: addDecimals(so?.credit ?? '0', credit?.amount ?? '0'),
    })
  }
  return [...sums.values()]
}

const entries = fc.array(balancedLines, { maxLength: 12 })

t.test('the totals agree for any set of balanced entries', async () => {
  fc.assert(
    fc.property(entries, (entries) => {
      const { totals } = trialBalance('2026-12-31', movementsOf(entries.flat()))
      return totals.every(({ debit, credit }) => debit === credit)
    }),
  )
})

t.test('the balances of each currency add up to zero', async () => {
  fc.assert(
    fc.property(entries, (entries) => {
      const { rows, totals } = trialBalance('2026-12-31', movementsOf(entries.flat()))
      return totals.every(({ currency }) => {
        const own = rows.filter((row) => row.currency === currency)
        return (
          compareDecimals(
            own.reduce((sum, { balance }) => addDecimals(sum, balance), '0'),
            '0',
          ) === 0
        )
      })
    }),
  )
})

t.test('when every entry is reversed, every balance is zero', async () => {
  fc.assert(
    fc.property(entries, (entries) => {
      const lines = entries.flatMap((lines) => [...lines, ...swapSides(lines)])
      return trialBalance('2026-12-31', movementsOf(lines)).rows.every(
        ({ balance }) => compareDecimals(balance, '0') === 0,
      )
    }),
  )
})

t.test('amounts have the decimals of their currency, and totals are by currency', async (t) => {
  const account = { id: 'a', code: '1000', name: 'Cash', type: 'asset' }
  const movements = [
    { account, currency: 'USD', debit: '10.5', credit: '12' },
    { account, currency: 'JPY', debit: '7', credit: '0' },
    { account: { ...account, id: 'b' }, currency: 'USD', debit: '0', credit: '0.01' },
  ]
  t.same(trialBalance('2026-12-31', movements), {
    asOf: '2026-12-31',
    rows: [
      { account, currency: 'USD', debit: '10.50', credit: '12.00', balance: '-1.50' },
      { account, currency: 'JPY', debit: '7', credit: '0', balance: '7' },
      { account: { ...account, id: 'b' }, currency: 'USD', debit: '0.00', credit: '0.01', balance: '-0.01' },
    ],
    totals: [
      { currency: 'JPY', debit: '7', credit: '0' },
      { currency: 'USD', debit: '10.50', credit: '12.01' },
    ],
  })
  t.same(trialBalance('2026-12-31', []), { asOf: '2026-12-31', rows: [], totals: [] })
})

t.test('a row that is not what the query promises is an error, not a wrong figure', async (t) => {
  const row = { id: 'a', code: '1', name: 'Cash', type: 'asset', currency: 'USD', debit: '1.00', credit: '0' }
  t.equal(movementOf(row).debit, '1.00')
  t.throws(() => movementOf({ ...row, debit: 1 }), /expects text in 'debit', not number/)
})
