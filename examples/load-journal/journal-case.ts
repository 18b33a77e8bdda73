// A set of books as neutral JSON: case.json, entries.jsonl and the figures to expect.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface CaseAccount {
  readonly code: string
  readonly name: string
  readonly type: string
}

export interface CaseLine {
  readonly account: string
  readonly currency: string
  /** Signed: debit positive, credit negative. */
  readonly amount: string
  /** In the base currency; present where the line's currency differs from it. */
  readonly base_amount?: string
}

export interface CaseEntry {
  readonly no: string
  readonly date: string
  readonly description: string
  readonly lines: readonly CaseLine[]
}

export interface ExpectedRow {
  readonly account: string
  readonly debit: string
  readonly credit: string
  readonly balance: string
}

export interface ExpectedDate {
  readonly date: string
  readonly trial_balance: readonly ExpectedRow[]
  readonly totals: { readonly debit: string; readonly credit: string }
}

export interface JournalCase {
  readonly id: string
  readonly title: string
  readonly baseCurrency: string
  readonly accounts: readonly CaseAccount[]
  readonly entries: readonly CaseEntry[]
  readonly expected: readonly ExpectedDate[]
}

export async function readJournalCase(folder: string): Promise<JournalCase> {
  const read = (file: string) => readFile(join(folder, file), 'utf8')
  const about = JSON.parse(await read('case.json'))
  const entries = (await read(about.entries_file)).split('\n').filter((line) => line.trim() !== '')
  const expected = JSON.parse(await read('expected.json'))
  return {
    id: about.id,
    title: about.title,
    baseCurrency: about.base_currency,
    accounts: about.accounts,
    entries: entries.map((line) => JSON.parse(line)),
    expected: expected.as_of,
  }
}
