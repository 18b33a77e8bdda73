import t from 'tap'
import { nearestName } from './nearest-name.ts'

t.test('a slip of the finger is recognised, another word is not', async (t) => {
  const names = ['description', 'date', 'account']
  t.equal(nearestName('descripton', names), 'description')
  t.equal(nearestName('Date', names), 'date')
  t.equal(nearestName('accuont', names), 'account')
  t.equal(nearestName('amount', ['note']), undefined)
  t.equal(nearestName('x', ['y']), undefined)
  t.equal(nearestName('x'.repeat(100_000), names), undefined)
})
