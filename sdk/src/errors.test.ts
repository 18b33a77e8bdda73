import t from 'tap'
import { created, fail, isCreated, isPluginError } from './errors.ts'

t.test('a refusal carries its code and data, and is recognised by them', async (t) => {
  try {
    fail('PERIOD_LOCKED', { date: '2026-01-01', field: 'date' })
  } catch (error) {
    if (!isPluginError(error)) throw error
    t.equal(error.code, 'PERIOD_LOCKED')
    t.same(error.data, { date: '2026-01-01', field: 'date' })
    t.ok(
      isPluginError(Object.assign(new Error('x'), { name: 'PluginError', code: 'X', data: {} })),
      'of another copy',
    )
  }
  t.throws(() => fail('X'), { name: 'PluginError', code: 'X' })
  t.notOk(isPluginError(new Error('PERIOD_LOCKED')))
  t.notOk(isPluginError(undefined))
})

t.test('an answer with another record is not taken for changes', async (t) => {
  t.ok(isCreated(created({ id: '1' })))
  t.same(created({ id: '1' }), { $created: { id: '1' } })
  t.notOk(isCreated({ created: '2026-01-01' }))
  t.notOk(isCreated(undefined))
  t.notOk(isCreated(null))
})
