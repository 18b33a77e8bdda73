import { addMoney, isPluginError, type Money, money } from '@plinth/sdk'
import fc from 'fast-check'
import t from 'tap'
import type { JournalLine } from './entities/journal-entry.ts'
import {
  balances,
  checkAccountsActive,
  checkAccountsExist,
  checkBalance,
  checkLines,
  checkPeriod,
} from './posting.ts'
import { balancedLines } from './testing/balanced-lines.ts'

const usd = (amount: string) => money(amount, 'USD')
const debit = (amount: Money): JournalLine => ({ account: 'a', debit: amount })
const credit = (amount: Money): JournalLine => ({ account: 'b', credit: amount })
const refusal = (judge: () => void): Record<string, unknown> | undefined => {
  try {
    judge()
  } catch (error) {
    if (isPluginError(error)) return { ...error.data, code: error.code }
    throw error
  }
  return undefined
}

t.test('a balanced entry passes', async () => {
  fc.assert(
    fc.property(balancedLines, (lines) => {
      checkLines(lines)
      checkBalance(lines)
    }),
  )
})

t.test(
  'a balanced entry with one more minor unit on one side is refused with just that difference',
  async () => {
    fc.assert(
      fc.property(balancedLines, fc.nat(), (lines, pick) => {
        const index = pick % lines.length
        const bumped = lines.map((line, at) => (at === index ? bump(line) : line))
        const changed = lines[index]?.debit ?? lines[index]?.credit
        const refused = refusal(() => checkBalance(bumped))
        return (
          refused?.code === 'ENTRY_UNBALANCED' &&
          refused['currency'] === changed?.currency &&
          refused['difference'] === smallest(changed).amount
        )
      }),
    )
  },
)

const smallest = (of: Money | undefined): Money =>
  of?.currency === 'JPY'
    ? money('1', 'JPY')
    : of?.currency === 'KWD'
      ? money('0.001', 'KWD')
      : money('0.01', of?.currency ?? '')
const bump = ({ account, debit, credit }: JournalLine): JournalLine => ({
  account,
  ...(debit ? { debit: addMoney(debit, smallest(debit)) } : {}),
  ...(credit ? { credit: addMoney(credit, smallest(credit)) } : {}),
})

t.test('each currency balances on its own', async (t) => {
  const lines = [debit(usd('1')), credit(money('1', 'EUR'))]
  t.match(
    refusal(() => checkBalance(lines)),
    { code: 'ENTRY_UNBALANCED', difference: '1.00', currency: 'USD' },
  )
  t.same(balances(lines), [usd('1'), money('-1', 'EUR')])
})

t.test('an entry with fewer than two lines is refused', async (t) => {
  t.match(
    refusal(() => checkBalance([])),
    { code: 'ENTRY_TOO_FEW_LINES', count: 0, field: 'lines' },
  )
  t.match(
    refusal(() => checkBalance([debit(usd('1'))])),
    { code: 'ENTRY_TOO_FEW_LINES', count: 1 },
  )
})

t.test('a line with both sides, or neither, is refused and named', async (t) => {
  const both = { account: 'a', debit: usd('1'), credit: usd('1') }
  t.match(
    refusal(() => checkLines([debit(usd('1')), both])),
    {
      code: 'LINE_ONE_SIDE',
      line: 2,
      field: 'lines.1',
      sides: 'both',
    },
  )
  t.match(
    refusal(() => checkLines([{ account: 'a' }])),
    { code: 'LINE_ONE_SIDE', field: 'lines.0', sides: 'neither' },
  )
})

t.test('an amount of zero or less is refused and named', async (t) => {
  for (const amount of ['0', '-1']) {
    t.match(
      refusal(() => checkLines([credit(usd(amount))])),
      {
        code: 'LINE_AMOUNT_NOT_POSITIVE',
        field: 'lines.0.credit',
        amount: usd(amount).amount,
        currency: 'USD',
      },
    )
  }
})

t.test('an account that is unknown or inactive is refused and its line named', async (t) => {
  const lines = [debit(usd('1')), credit(usd('1'))]
  const active = { id: 'a', code: '1000', type: 'asset' as const, active: true }
  t.match(
    refusal(() => checkAccountsExist(lines, [active])),
    { code: 'ACCOUNT_UNKNOWN', field: 'lines.1.account' },
  )
  const inactive = { id: 'b', code: '2000', type: 'asset' as const, active: false }
  t.equal(
    refusal(() => checkAccountsExist(lines, [active, inactive])),
    undefined,
  )
  t.match(
    refusal(() => checkAccountsActive(lines, [active, inactive])),
    {
      code: 'ACCOUNT_INACTIVE',
      line: 2,
      field: 'lines.1.account',
    },
  )
})

t.test('nothing is dated on or before the day through which the books are locked', async (t) => {
  t.match(
    refusal(() => checkPeriod('2026-03-31', '2026-03-31')),
    { code: 'PERIOD_LOCKED', field: 'date' },
  )
  t.match(
    refusal(() => checkPeriod('2025-12-31', '2026-03-31')),
    { code: 'PERIOD_LOCKED' },
  )
  t.equal(
    refusal(() => checkPeriod('2026-04-01', '2026-03-31')),
    undefined,
  )
  t.equal(
    refusal(() => checkPeriod('1999-01-01', undefined)),
    undefined,
  )
})
