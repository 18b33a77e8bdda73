// The journal: drafts that anyone may still change, and posted entries that nobody may, ever.

import { entity, type Out, type Row, t } from '@plinth/sdk'

export const lineFields = {
  account: t.ref('account'),
  debit: t.money().optional(),
  credit: t.money().optional(),
  memo: t.text().range(0, 500).optional(),
}

export const journalEntry = entity(
  'Journal entry',
  {
    // Taken at posting, so that a deleted draft leaves no gap in the books.
    number: t.sequence('JE-{year}-{00000}', { at: 'posted', date: 'date' }),
    date: t.date(),
    description: t.text().range(1, 500),
    reference: t.text().range(1, 200).optional(),
    lines: t.lines(lineFields),
    // Unique: an entry is reversed once.
    reversalOf: t.ref('journalEntry').optional().unique(),
    status: t.state({ draft: ['posted'], posted: [] }),
  },
  { path: 'journal-entries', indexes: [['date']], immutableIn: ['posted'] },
)

export type JournalLine = Out<typeof lineFields>
export type JournalEntry = Row<typeof journalEntry, 'journalEntry'>
