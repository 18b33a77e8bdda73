import t from 'tap'
import { isoTimestamp, wireTypes } from './wire-values.ts'

t.test('timestamps are ISO 8601 with milliseconds', async (t) => {
  t.equal(isoTimestamp('2026-11-21 01:16:05+00'), '2026-11-21T01:16:05.000Z')
  t.equal(isoTimestamp('2026-11-21 01:16:05.6+00'), '2026-11-21T01:16:05.600Z')
  t.equal(isoTimestamp('2026-11-21 01:16:05.678912+00'), '2026-11-21T01:16:05.678Z')
  for (const other of ['infinity', '10000-01-01 00:00:00+00', '2026-11-21 01:16:05+05:30']) {
    t.equal(isoTimestamp(other), other, 'what JSON clients could not read is left as it is')
  }
})

t.test('no value becomes a float or a Date that was not one', async (t) => {
  const parse = (oid: number, text: string) => wireTypes.getTypeParser(oid)(text)
  t.equal(parse(1700, '12.50'), '12.50')
  t.equal(parse(1082, '2026-01-02'), '2026-01-02')
  t.equal(parse(20, '42'), 42)
  t.equal(parse(20, '9007199254740993'), '9007199254740993')
  t.equal(parse(701, 'NaN'), 'NaN')
  t.equal(parse(16, 't'), true)
  t.same(parse(1231, '{1.10,2}'), ['1.10', '2'])
  t.same(parse(1007, '{1,2}'), [1, 2])
})
