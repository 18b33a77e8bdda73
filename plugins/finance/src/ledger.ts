// Where the rules of posting meet the stored records: loads what they judge, and writes what they let pass.

import type { CivilDate, Id, Repository } from '@plinth/sdk'
import type { PostJournalInput } from './contract.ts'
import type { account } from './entities/account.ts'
import type { JournalEntry, JournalLine, journalEntry } from './entities/journal-entry.ts'
import {
  checkAccountsActive,
  checkAccountsExist,
  checkBalance,
  checkLines,
  checkPeriod,
  type PostingAccount,
} from './posting.ts'
import { checkReversible, checkUndoes, counterEntry } from './reversal.ts'

/** The part of `ctx` that the ledger needs. */
export interface Ledger {
  readonly entities: {
    readonly account: Repository<typeof account, 'account'>
    readonly journalEntry: Repository<typeof journalEntry, 'journalEntry'>
  }
  readonly settings: { readonly lockedThrough?: CivilDate | undefined }
  emit(
    event: 'journalEntry.posted',
    payload: { readonly entry: Id<'journalEntry'>; readonly date: CivilDate },
  ): Promise<void>
}

type Draft = Pick<JournalEntry, 'date' | 'lines'>

/** As many ids as one list call may ask for. */
const BATCH = 200

/** Whether a draft makes sense; balance, active accounts and the period are judged when it is posted. */
export async function checkDraft(
  ledger: Pick<Ledger, 'entities'>,
  draft: Partial<Pick<JournalEntry, 'reversalOf'>> & Pick<JournalEntry, 'lines' | 'status'>,
): Promise<void> {
  // Posting changes no line of the draft that was judged here, and judges more itself.
  if (draft.status === 'posted') return
  checkLines(draft.lines)
  checkAccountsExist(draft.lines, await accountsOf(ledger, draft.lines))
  if (draft.reversalOf === undefined) return
  const [original] = (await ledger.entities.journalEntry.list({ id: draft.reversalOf }, { limit: 1 })).items
  if (original) checkUndoes(draft.lines, original)
}

/** Whether an entry may enter the books. */
export async function checkPosting(ledger: Omit<Ledger, 'emit'>, { date, lines }: Draft): Promise<void> {
  checkLines(lines)
  checkBalance(lines)
  checkPeriod(date, ledger.settings.lockedThrough)
  const accounts = await accountsOf(ledger, lines)
  checkAccountsExist(lines, accounts)
  checkAccountsActive(lines, accounts)
}

/** Creates the counter-entry of a posted entry and posts it. */
export async function reverse(
  ledger: Ledger,
  entry: JournalEntry,
  { date, description }: { readonly date: CivilDate; readonly description?: string | undefined },
): Promise<JournalEntry> {
  // The kernel has locked `entry` for this action, so of two reversals at once the second sees the first here.
  const reversals = await ledger.entities.journalEntry.list({ reversalOf: entry.id }, { limit: 1 })
  checkReversible(entry, reversals.items)
  checkPeriod(date, ledger.settings.lockedThrough)
  return enter(ledger, counterEntry(entry, date, description))
}

/** `PostJournalInput` as it looks from inside, where the account of a line is an `account` and not a `finance.account`. */
type OwnJournal = Omit<PostJournalInput, 'lines'> & { readonly lines: readonly JournalLine[] }

/** Creates and posts an entry at once, for another plugin. */
export async function postJournal(ledger: Ledger, input: OwnJournal) {
  await checkPosting(ledger, input)
  const { id, number } = await enter(ledger, input)
  return { entry: id, number }
}

type NewEntry = Parameters<Ledger['entities']['journalEntry']['create']>[0]

async function enter(ledger: Ledger, values: NewEntry): Promise<JournalEntry> {
  const draft = await ledger.entities.journalEntry.create(values)
  const posted = await ledger.entities.journalEntry.update(draft.id, { status: 'posted' })
  await ledger.emit('journalEntry.posted', { entry: posted.id, date: posted.date })
  return posted
}

async function accountsOf(
  ledger: Pick<Ledger, 'entities'>,
  lines: readonly JournalLine[],
): Promise<readonly PostingAccount[]> {
  const ids = [...new Set(lines.map(({ account }) => account))]
  const found: PostingAccount[] = []
  for (let from = 0; from < ids.length; from += BATCH) {
    const batch = ids.slice(from, from + BATCH)
    const page = await ledger.entities.account.list({ id: { in: batch } }, { limit: BATCH })
    found.push(...page.items)
  }
  return found
}
