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
  checkSettingAccounts,
  type PostingAccount,
  type PostingLine,
} from './posting.ts'
import { refuse } from './refuse.ts'
import { checkReversible, counterEntry } from './reversal.ts'

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

interface Draft extends Pick<JournalEntry, 'date'> {
  readonly lines: readonly PostingLine[]
}

/** As many ids as one list call may ask for. */
const BATCH = 200
/** Of the 50 calls that may be under way at once. */
const LOCKS_AT_ONCE = 40
/** Each takes two of the 250 statements that a request has. */
const MOST_ACCOUNTS = 100

/** Whether a draft makes sense; balance, active accounts and the period are judged when it is posted. */
export async function checkDraft(
  ledger: Pick<Ledger, 'entities'>,
  draft: Partial<Pick<JournalEntry, 'reversalOf'>> & Pick<JournalEntry, 'lines' | 'status'>,
): Promise<void> {
  // Posting changes no line of the draft that was judged here, and judges more itself.
  if (draft.status === 'posted') return
  // A draft that says it reverses an entry would be in the way of the true reversal, which there is one of.
  if (draft.reversalOf !== undefined) refuse('REVERSAL_BY_ACTION', { field: 'reversalOf' })
  checkLines(draft.lines)
  checkAccountsExist(draft.lines, await accountsOf(ledger, draft.lines))
}

/** Whether an entry may enter the books. Its accounts are locked, so that none becomes inactive before it has. */
export async function checkPosting(ledger: Omit<Ledger, 'emit'>, { date, lines }: Draft): Promise<void> {
  checkLines(lines)
  checkBalance(lines)
  checkPeriod(date, ledger.settings.lockedThrough)
  const accounts = await lockedAccountsOf(ledger, lines)
  checkSettingAccounts(lines, accounts)
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
type OwnJournal = Omit<PostJournalInput, 'lines'> & { readonly lines: readonly PostingLine[] }

/** Creates and posts an entry at once, for another plugin. */
export async function postJournal(ledger: Ledger, input: OwnJournal) {
  await checkPosting(ledger, input)
  const lines = input.lines.map(({ setting: _, type: __, ...line }) => line)
  const { id, number } = await enter(ledger, { ...input, lines })
  return { entry: id, number }
}

type NewEntry = Parameters<Ledger['entities']['journalEntry']['create']>[0]

/** `reversalOf` comes with the posting: no draft has it, see `checkDraft`. */
async function enter(ledger: Ledger, { reversalOf, ...values }: NewEntry): Promise<JournalEntry> {
  const draft = await ledger.entities.journalEntry.create(values)
  const posted = await ledger.entities.journalEntry.update(draft.id, {
    status: 'posted',
    ...(reversalOf === undefined ? {} : { reversalOf }),
  })
  await ledger.emit('journalEntry.posted', { entry: posted.id, date: posted.date })
  return posted
}

const idsOf = (lines: readonly JournalLine[]) => [...new Set(lines.map(({ account }) => account))]

async function accountsOf(
  ledger: Pick<Ledger, 'entities'>,
  lines: readonly JournalLine[],
): Promise<readonly PostingAccount[]> {
  const ids = idsOf(lines)
  const found: PostingAccount[] = []
  for (let from = 0; from < ids.length; from += BATCH) {
    const batch = ids.slice(from, from + BATCH)
    const page = await ledger.entities.account.list({ id: { in: batch } }, { limit: BATCH })
    found.push(...page.items)
  }
  return found
}

/** As `accountsOf`, locked. In the order of their ids, so that two entries on the same accounts do not wait in a circle. */
async function lockedAccountsOf(
  ledger: Pick<Ledger, 'entities'>,
  lines: readonly JournalLine[],
): Promise<readonly PostingAccount[]> {
  const ids = idsOf(lines).sort()
  if (ids.length > MOST_ACCOUNTS) {
    refuse('ENTRY_TOO_MANY_ACCOUNTS', { count: ids.length, most: MOST_ACCOUNTS, field: 'lines' })
  }
  const found: (PostingAccount | undefined)[] = []
  for (let from = 0; from < ids.length; from += LOCKS_AT_ONCE) {
    const batch = ids.slice(from, from + LOCKS_AT_ONCE)
    found.push(
      ...(await Promise.all(batch.map((id) => ledger.entities.account.lock(id).catch(unlessMissing)))),
    )
  }
  return found.filter((account) => account !== undefined)
}

/** An account that is not there is refused with its line, by who called. */
function unlessMissing(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'RECORD_NOT_FOUND') return undefined
  throw error
}
