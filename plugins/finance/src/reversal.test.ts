import { isPluginError, money } from '@plinth/sdk'
import fc from 'fast-check'
import t from 'tap'
import type { JournalEntry, JournalLine } from './entities/journal-entry.ts'
import { checkBalance, checkLines } from './posting.ts'
import { checkReversible, counterEntry, swapSides } from './reversal.ts'
import { balancedLines } from './testing/balanced-lines.ts'

const lines: readonly JournalLine[] = [
  { account: 'a', debit: money('5', 'USD'), memo: 'rent' },
  { account: 'b', credit: money('5', 'USD') },
]
const entry: JournalEntry = {
  id: 'e1',
  version: 2,
  createdAt: '2026-01-01T00:00:00.000Z',
  createdBy: 'u1',
  updatedAt: '2026-01-01T00:00:00.000Z',
  updatedBy: 'u1',
  number: 'JE-2026-00001',
  date: '2026-01-31',
  description: 'Rent',
  reference: 'R-1',
  status: 'posted',
  lines,
}
const codeOf = (judge: () => void) => {
  try {
    judge()
  } catch (error) {
    return isPluginError(error) ? error.code : error
  }
  return 'passes'
}

t.test('a balanced entry stays balanced when it is reversed', async () => {
  fc.assert(
    fc.property(balancedLines, (lines) => {
      const reversed = swapSides(lines)
      checkLines(reversed)
      checkBalance(reversed)
    }),
  )
})

t.test('an entry and its reversal together leave every account as it was', async (t) => {
  t.same(swapSides(lines), [
    { account: 'a', credit: money('5', 'USD'), memo: 'rent' },
    { account: 'b', debit: money('5', 'USD') },
  ])
  fc.assert(
    fc.property(balancedLines, (lines) => JSON.stringify(swapSides(swapSides(lines))) === inSameKeys(lines)),
  )
})

const inSameKeys = (lines: readonly JournalLine[]) =>
  JSON.stringify(lines.map(({ account, debit, credit, memo }) => ({ account, debit, credit, memo })))

t.test('the counter-entry says what it reverses, and carries the reference on', async (t) => {
  t.match(counterEntry(entry, '2026-02-01'), {
    date: '2026-02-01',
    description: 'Reversal of JE-2026-00001: Rent',
    reference: 'R-1',
    reversalOf: 'e1',
  })
  t.equal(counterEntry(entry, '2026-02-01', 'Wrong month').description, 'Wrong month')
  const long = counterEntry({ ...entry, description: 'x'.repeat(500) }, '2026-02-01')
  t.equal(long.description.length, 500)
  t.ok(counterEntry({ ...entry, description: '🧾'.repeat(250) }, '2026-02-01').description.isWellFormed())
  t.ok(
    counterEntry({ ...entry, description: `x${'🧾'.repeat(249)}` }, '2026-02-01').description.isWellFormed(),
  )
})

t.test('a draft cannot be reversed, nor an entry twice', async (t) => {
  t.equal(
    codeOf(() => checkReversible(entry, [])),
    'passes',
  )
  t.equal(
    codeOf(() => checkReversible({ ...entry, status: 'draft' }, [])),
    'ENTRY_NOT_POSTED',
  )
  t.equal(
    codeOf(() => checkReversible(entry, [{ id: 'e2' }])),
    'ENTRY_ALREADY_REVERSED',
  )
})
