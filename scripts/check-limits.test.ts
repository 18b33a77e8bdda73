import t from 'tap'
import { limitNames } from '../kernel/src/entitlements/governor-limits.ts'
import { limitsTable, withTable } from './check-limits.ts'

t.test('the table has every limit and is put in its place, whatever stood there', async (t) => {
  const table = limitsTable()
  for (const name of limitNames) t.match(table, `| \`${name}\` |`)
  const [first = '', ...rest] = table.split('\n')
  const end = rest.at(-1) ?? ''
  const stale = `# Limits\n${first}\n| \`gone\` |\n${end}\nText after.\n`
  t.equal(withTable(stale), `# Limits\n${table}\nText after.\n`)
  t.equal(withTable(`${table}\n`), `${table}\n`, 'twice is as once')
})

t.test('a page without a place for the table is a problem', async (t) => {
  t.equal(withTable('# Limits\n'), undefined)
})
