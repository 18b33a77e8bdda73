// The counter-entry that undoes a posted one. Nothing that was posted is ever changed: the two stand side by side.
//
// A reversal may be reversed in turn. It is an entry like any other, so when it was the mistake, a counter-entry is the
// only way to correct it that keeps the trail linked. Each entry is reversed once: what should count again after that is
// found at the end of the chain. A line's account may have been made inactive since, which does not stand in the way:
// an error on a closed account must not be there for good.

import type { CivilDate } from '@plinth/sdk'
import type { JournalEntry, JournalLine } from './entities/journal-entry.ts'
import { refuse } from './refuse.ts'

/** The longest description an entry may have. */
const MAX_DESCRIPTION = 500

/** The lines with their sides swapped: what was debited is credited by as much. */
export const swapSides = (lines: readonly JournalLine[]): readonly JournalLine[] =>
  lines.map(({ account, debit, credit, memo }) => ({
    account,
    ...(credit ? { debit: credit } : {}),
    ...(debit ? { credit: debit } : {}),
    ...(memo === undefined ? {} : { memo }),
  }))

/** The counter-entry of `entry`, as a new record. */
export function counterEntry(entry: JournalEntry, date: CivilDate, description?: string) {
  const said = description ?? `Reversal of ${entry.number ?? 'an entry'}: ${entry.description}`
  return {
    date,
    // Cut between characters: half of a surrogate pair is no text.
    description: said.slice(0, MAX_DESCRIPTION).replace(/[\uD800-\uDBFF]$/, ''),
    ...(entry.reference === undefined ? {} : { reference: entry.reference }),
    lines: swapSides(entry.lines),
    reversalOf: entry.id,
  }
}

/** Whether `entry` may be reversed, given the reversals of it that there are. */
export function checkReversible(entry: JournalEntry, reversals: readonly unknown[]): void {
  if (entry.status !== 'posted') refuse('ENTRY_NOT_POSTED', {})
  if (reversals.length > 0) refuse('ENTRY_ALREADY_REVERSED', { number: entry.number ?? entry.id })
}
