// For property tests: lines of an entry that balances in each of its currencies.

import { type Money, minorUnits, money } from '@plinth/sdk'
import fc from 'fast-check'
import type { JournalLine } from '../entities/journal-entry.ts'

export const ACCOUNTS = ['1000', '1200', '2000', '3000', '4000', '5000']

const account = fc.constantFrom(...ACCOUNTS)
const memo = fc.option(fc.string({ maxLength: 20 }), { nil: undefined })

function moneyOf(units: number, currency: string): Money {
  const decimals = minorUnits(currency) ?? 0
  const digits = String(units).padStart(decimals + 1, '0')
  const whole = digits.slice(0, digits.length - decimals)
  return money(decimals === 0 ? whole : `${whole}.${digits.slice(-decimals)}`, currency)
}

/** Some lines on one side, and one on the other for their sum. */
const inOneCurrency = fc
  .record({
    currency: fc.constantFrom('USD', 'EUR', 'JPY', 'KWD'),
    parts: fc.array(fc.record({ account, memo, units: fc.integer({ min: 1, max: 10_000_000 }) }), {
      minLength: 1,
      maxLength: 8,
    }),
    against: account,
    side: fc.boolean(),
  })
  .map(({ currency, parts, against, side }): JournalLine[] => {
    const line = (on: string, units: number, isDebit: boolean): JournalLine => ({
      account: on,
      [isDebit ? 'debit' : 'credit']: moneyOf(units, currency),
    })
    const sum = parts.reduce((total, { units }) => total + units, 0)
    return [
      ...parts.map((part) => ({ ...line(part.account, part.units, side), memo: part.memo })),
      line(against, sum, !side),
    ]
  })

export const balancedLines: fc.Arbitrary<readonly JournalLine[]> = fc
  .array(inOneCurrency, { minLength: 1, maxLength: 3 })
  .map((groups) => groups.flat())
