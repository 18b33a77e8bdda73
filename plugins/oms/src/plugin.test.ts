import { manifestOf } from '@plinth/sdk'
import t from 'tap'
import plugin from './plugin.ts'
import { refusals } from './refusals.ts'

t.test('the plugin declares nothing that could never work', async (t) => {
  const manifest = manifestOf(plugin)
  t.equal(manifest.entities['stockMove']?.path, 'stock-moves')
  t.same(manifest.needs, { sql: 'write' })
  t.same(manifest.uses, { finance: { range: '^0.1', optional: false } })
  t.same(manifest.errors, refusals)
})
