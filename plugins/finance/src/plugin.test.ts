import { manifestOf } from '@plinth/sdk'
import t from 'tap'
import plugin from './plugin.ts'
import { refusals } from './refusals.ts'

t.test('the plugin declares nothing that could never work', async (t) => {
  const manifest = manifestOf(plugin)
  t.equal(manifest.entities['journalEntry']?.path, 'journal-entries')
  t.same(manifest.needs, { sql: 'read' })
  t.match(manifest.uses, { oms: { optional: true } })
  t.same(manifest.errors, refusals)
})
