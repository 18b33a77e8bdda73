import t from 'tap'
import { nextDue } from './next-due.ts'

/** As the ticks come one after the other, each counted from the one before. */
function ticks(pattern: string, zone: string, from: string, count: number): string[] {
  const found: string[] = []
  for (let at = new Date(from); found.length < count; ) {
    at = nextDue(pattern, zone, at)
    found.push(at.toISOString().slice(0, 16))
  }
  return found
}

t.test('a schedule is read in the time zone of the tenant', async (t) => {
  t.same(ticks('0 6 * * *', 'Asia/Kolkata', '2026-01-01T00:00:00Z', 2), [
    '2026-01-01T00:30',
    '2026-01-02T00:30',
  ])
  t.same(ticks('0 6 * * mon', 'UTC', '2026-01-01T00:00:00Z', 2), ['2026-01-05T06:00', '2026-01-12T06:00'])
})

t.test('02:30 in Berlin, where the clocks go from 2 to 3 in March', async (t) => {
  t.same(ticks('30 2 * * *', 'Europe/Berlin', '2026-03-27T12:00:00Z', 3), [
    '2026-03-28T01:30',
    '2026-03-29T01:30',
    '2026-03-30T00:30',
  ])
})

t.test('02:30 in Berlin, where the clocks go from 3 to 2 in October', async (t) => {
  t.same(ticks('30 2 * * *', 'Europe/Berlin', '2026-10-23T12:00:00Z', 3), [
    '2026-10-24T00:30',
    '2026-10-25T00:30',
    '2026-10-26T01:30',
  ])
  const between = nextDue('30 2 * * *', 'Europe/Berlin', new Date('2026-10-25T00:50:00Z'))
  t.equal(between.toISOString(), '2026-10-26T01:30:00.000Z', 'not again when the hour comes a second time')
})

t.test('what is due each half hour goes on through both', async (t) => {
  for (const from of ['2026-03-29T00:00:00Z', '2026-10-25T00:00:00Z']) {
    const found = ticks('*/30 * * * *', 'Europe/Berlin', from, 6).map((at) => Date.parse(`${at}Z`))
    t.same(
      found.map((at) => at - Date.parse(from)),
      [1, 2, 3, 4, 5, 6].map((n) => n * 1_800_000),
    )
  }
})

t.test('midnight in Santiago on the day that begins at one', async (t) => {
  t.same(ticks('0 0 * * *', 'America/Santiago', '2026-09-05T12:00:00Z', 2), [
    '2026-09-06T04:00',
    '2026-09-07T03:00',
  ])
})

t.test('all that the SDK takes for a schedule is one here', async (t) => {
  for (const pattern of [
    '59 23 31 12 7',
    '5/10 0 1 JAN,jul 0',
    '0 0 31 2 mon',
    '0 9-17/2 * * mon-fri',
    '0 0 * * 5-7',
    '0 0 30 2/2 *',
    '0 0 * * 0-7',
  ])
    t.ok(nextDue(pattern, 'UTC', new Date()) > new Date(), pattern)
})
