// What modules do about each other's events.
import t from 'tap'
import { queueLab, until } from '../support/queue-lab.ts'

const lab = await queueLab(t)

t.test('an event is acted on once, after the commit, and never after a rollback', async (t) => {
  const shop = await lab.openShop()
  const order = await shop.order()
  t.equal(await shop.tell(order, 'rolled back'), 409)
  const entries = await until(shop.entries, (all) => all.length > 0)
  t.strictSame(entries, [{ order, say: 'shipped', number: 7 }])
  t.match(await lab.tasks(shop.id), [{ name: 'shop.order.told', state: 'done', attempt: 1, error: null }])
})
