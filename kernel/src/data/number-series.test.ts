import t from 'tap'
import { formatNumber } from './number-series.ts'

t.test('a number fills its pattern, and outgrows it without losing a digit', async (t) => {
  t.equal(formatNumber('JE-{year}-{00000}', '2026', 42), 'JE-2026-00042')
  t.equal(formatNumber('JE-{year}-{00}', '2026', 12345), 'JE-2026-12345')
  t.equal(formatNumber('{0}/x', '', 7), '7/x')
})
