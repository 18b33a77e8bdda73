import fc from 'fast-check'
import t from 'tap'
import {
  addDays,
  addMonths,
  compareDates,
  daysBetween,
  endOfMonth,
  fiscalPeriod,
  isCivilDate,
  isoWeek,
  startOfMonth,
  weekday,
} from './dates.ts'

const MS_PER_DAY = 86_400_000
const date = fc
  .date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T00:00:00Z'), noInvalidDate: true })
  .map((day) => day.toISOString().slice(0, 10))

t.test('adding days agrees with the platform calendar', async (t) => {
  fc.assert(
    fc.property(date, fc.integer({ min: -200_000, max: 200_000 }), (from, days) => {
      const expected = new Date(Date.parse(`${from}T00:00:00Z`) + days * MS_PER_DAY)
      fc.pre(expected.getUTCFullYear() >= 1 && expected.getUTCFullYear() <= 9999)
      return addDays(from, days) === expected.toISOString().slice(0, 10)
    }),
    { numRuns: 2000 },
  )
  t.equal(addDays('2024-02-28', 2), '2024-03-01')
  t.equal(addDays('0001-01-01', 0), '0001-01-01')
})

t.test('days between two dates lead from one to the other', async () => {
  fc.assert(fc.property(date, date, (a, b) => addDays(a, daysBetween(a, b)) === b))
  fc.assert(fc.property(date, date, (a, b) => daysBetween(a, b) === -daysBetween(b, a) || a === b))
})

t.test('dates compare as their text does', async () => {
  fc.assert(fc.property(date, date, (a, b) => Math.sign(compareDates(a, b)) === (a < b ? -1 : a > b ? 1 : 0)))
})

t.test('a month later is the same day, or the last one of a shorter month', async (t) => {
  t.equal(addMonths('2026-01-31', 1), '2026-02-28')
  t.equal(addMonths('2024-01-31', 1), '2024-02-29')
  t.equal(addMonths('2026-12-15', 1), '2027-01-15')
  t.equal(addMonths('2026-01-15', -1), '2025-12-15')
  t.equal(addMonths('2026-03-31', -13), '2025-02-28')
  t.equal(startOfMonth('2026-02-17'), '2026-02-01')
  t.equal(endOfMonth('1900-02-17'), '1900-02-28', '1900 was no leap year')
  t.equal(endOfMonth('2000-02-17'), '2000-02-29', '2000 was one')
})

t.test('a day that does not exist is no date', async (t) => {
  for (const wrong of [
    '2026-02-29',
    '2026-13-01',
    '2026-00-10',
    '2026-01-32',
    '0000-01-01',
    '2026-1-1',
    '',
    20260101,
  ]) {
    t.equal(isCivilDate(wrong), false, String(wrong))
  }
  fc.assert(fc.property(date, (day) => isCivilDate(day)))
  t.throws(() => addDays('2026-02-29', 1), /'2026-02-29' is not a date/)
  t.throws(() => addDays('2026-02-01', 0.5), /not a whole number/)
  t.throws(() => addDays('9999-12-31', 1), /the year 10000/)
})

t.test('weeks are those of ISO 8601', async (t) => {
  for (const [day, year, week, of] of [
    ['2026-01-01', 2026, 1, 4],
    ['2027-01-03', 2026, 53, 7],
    ['2027-01-04', 2027, 1, 1],
    ['2024-12-30', 2025, 1, 1],
    ['2021-01-01', 2020, 53, 5],
  ] as const) {
    t.same(isoWeek(day), { year, week }, day)
    t.equal(weekday(day), of, day)
  }
  fc.assert(
    fc.property(date, (day) => weekday(day) === ((new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7) + 1),
  )
})

t.test('a day is in one period of one fiscal year', async (t) => {
  const april = { from: '2025-04-01', to: '2026-03-31' }
  t.same(fiscalPeriod('2026-03-31', 4), { year: 2025, period: 12, ...april })
  t.same(fiscalPeriod('2025-04-01', 4), { year: 2025, period: 1, ...april })
  t.same(fiscalPeriod('2026-02-28', 1), { year: 2026, period: 2, from: '2026-01-01', to: '2026-12-31' })
  t.throws(() => fiscalPeriod('2026-01-01', 13), RangeError)
  fc.assert(
    fc.property(date, fc.integer({ min: 1, max: 12 }), (day, first) => {
      fc.pre(day > '0002' && day < '9998')
      const { period, from, to } = fiscalPeriod(day, first)
      return from <= day && day <= to && addMonths(from, period - 1).slice(0, 7) === day.slice(0, 7)
    }),
  )
})
