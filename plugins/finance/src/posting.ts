// What makes an entry fit for the books. Pure: it is given what it judges, and refuses or returns.
// `field` is the path in the request, counted from 0 as JSON is; `line` is for people and counts from 1.

import {
  addMoney,
  type CivilDate,
  compareDates,
  isPositiveMoney,
  isZeroMoney,
  type Money,
  subtractMoney,
  zeroMoney,
} from '@plinth/sdk'
import type { AccountType } from './contract.ts'
import type { JournalLine } from './entities/journal-entry.ts'
import { refuse } from './refuse.ts'

/** What posting needs to know about an account. */
export interface PostingAccount {
  readonly id: string
  readonly code: string
  readonly type: AccountType
  readonly active: boolean
}

/** A line as it is posted: its account may come from a setting, of which the stored line knows nothing. */
export interface PostingLine extends JournalLine {
  readonly setting?: string | undefined
  readonly type?: AccountType | undefined
}

/** Each line has one side, greater than zero. Holds for drafts too: there is no sense in storing anything else. */
export function checkLines(lines: readonly JournalLine[]): void {
  for (const [index, { debit, credit }] of lines.entries()) {
    const at = { line: index + 1, field: `lines.${index}` }
    const amount = debit ?? credit
    if (!amount || (debit && credit)) refuse('LINE_ONE_SIDE', { ...at, sides: amount ? 'both' : 'neither' })
    if (!isPositiveMoney(amount)) {
      refuse('LINE_AMOUNT_NOT_POSITIVE', {
        ...amount,
        ...at,
        field: `${at.field}.${debit ? 'debit' : 'credit'}`,
      })
    }
  }
}

/** Two lines or more, and in each currency as much debit as credit, to the last decimal. */
export function checkBalance(lines: readonly JournalLine[]): void {
  if (lines.length < 2) refuse('ENTRY_TOO_FEW_LINES', { count: lines.length, field: 'lines' })
  for (const { currency, amount } of balances(lines).filter((balance) => !isZeroMoney(balance))) {
    refuse('ENTRY_UNBALANCED', { difference: amount.replace('-', ''), currency, field: 'lines' })
  }
}

/** Debit less credit in each currency, in the order in which the lines bring them up. */
export function balances(lines: readonly JournalLine[]): readonly Money[] {
  const sums = new Map<string, Money>()
  for (const { debit, credit } of lines) {
    if (debit)
      sums.set(debit.currency, addMoney(sums.get(debit.currency) ?? zeroMoney(debit.currency), debit))
    if (credit)
      sums.set(
        credit.currency,
        subtractMoney(sums.get(credit.currency) ?? zeroMoney(credit.currency), credit),
      )
  }
  return [...sums.values()]
}

/** An account that a setting names is there, takes postings and is of the type that the setting is for. */
export function checkSettingAccounts(
  lines: readonly PostingLine[],
  accounts: readonly PostingAccount[],
): void {
  const known = new Map(accounts.map((account) => [account.id, account]))
  for (const { account: id, setting, type: wanted } of lines) {
    if (setting === undefined) continue
    const account = known.get(id)
    if (!account) refuse('SETTING_ACCOUNT', { setting, why: ' that does not exist' })
    const { code, active, type } = account
    if (!active) refuse('SETTING_ACCOUNT', { setting, account: code, why: `, ${code}, that is not active` })
    if (wanted !== undefined && type !== wanted)
      refuse('SETTING_ACCOUNT', {
        setting,
        account: code,
        why: `, ${code}, of the type ${type} where ${wanted} is needed`,
      })
  }
}

/** Each line is on an account that exists. */
export function checkAccountsExist(lines: readonly JournalLine[], accounts: readonly PostingAccount[]): void {
  const known = new Set(accounts.map(({ id }) => id))
  const index = lines.findIndex(({ account }) => !known.has(account))
  if (index >= 0) refuse('ACCOUNT_UNKNOWN', { line: index + 1, field: `lines.${index}.account` })
}

/** Each line is on an account that takes postings. */
export function checkAccountsActive(
  lines: readonly JournalLine[],
  accounts: readonly PostingAccount[],
): void {
  const inactive = new Map(accounts.filter(({ active }) => !active).map(({ id, code }) => [id, code]))
  for (const [index, line] of lines.entries()) {
    const account = inactive.get(line.account)
    if (account === undefined) continue
    refuse('ACCOUNT_INACTIVE', { line: index + 1, account, field: `lines.${index}.account` })
  }
}

/** The books are open on `date`. */
export function checkPeriod(date: CivilDate, lockedThrough: CivilDate | undefined): void {
  if (lockedThrough !== undefined && compareDates(date, lockedThrough) <= 0) {
    refuse('PERIOD_LOCKED', { date, lockedThrough, field: 'date' })
  }
}
