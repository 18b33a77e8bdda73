import t from 'tap'
import { testDatabase } from '../../../tests/support/database.ts'
import { eventFilterPattern, wantsEvent, wantsEventSql } from './event-filter.ts'

const names = [
  'oms.order.shipped',
  'oms.order.shippedLate',
  'oms.orderLine.added',
  'omsx.order.shipped',
  'crm.lead.won',
]
const filters = ['*', 'oms.*', 'oms.order.*', 'oms.order.shipped', 'crm.lead.*', 'crm.*', 'oms.o.*', 'x.y']

t.test('a filter means the same in memory and in the database', async (t) => {
  const { admin } = await testDatabase(t)
  const some = filters.flatMap((one) => [[one], [one, 'crm.lead.won']])
  for (const list of [[], ...some]) {
    for (const name of names) {
      const { rows } = await admin.query(`SELECT ${wantsEventSql('$1::text[]', '$2::text')} AS wants`, [
        list,
        name,
      ])
      t.equal(wantsEvent(list, name), rows[0].wants, `${list} of ${name}`)
    }
  }
  t.ok(wantsEvent(['oms.order.*'], 'oms.order.shipped'))
  t.notOk(wantsEvent(['oms.*'], 'omsx.order.shipped'), 'a module whose name begins alike is another')
  t.notOk(wantsEvent(['oms.order.*'], 'oms.orderLine.added'))
})

t.test('what is a filter', async (t) => {
  const isFilter = (text: string) => new RegExp(eventFilterPattern).test(text)
  for (const good of filters) t.ok(isFilter(good), good)
  for (const bad of [
    '',
    'oms',
    '*.order',
    'oms.',
    'oms.*.shipped',
    'oms.order.*.*',
    'Oms.order',
    '.',
    '**',
    'oms.order shipped',
  ])
    t.notOk(isFilter(bad), bad)
})
