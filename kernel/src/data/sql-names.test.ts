import fc from 'fast-check'
import t from 'tap'
import { constraintName, entityTable, linesTable, quoteName, snakeCase, sqlName } from './sql-names.ts'

const key = fc.stringMatching(/^[a-z][A-Za-z0-9]{0,40}$/)

t.test('keys become names, and different keys different names', async (t) => {
  t.equal(entityTable('journalEntry'), 'journal_entry')
  t.equal(linesTable('journalEntry', 'lines'), 'journal_entry_lines')
  t.equal(snakeCase('aBC'), 'a_b_c')
  fc.assert(fc.property(key, key, (a, b) => a === b || entityTable(a) !== entityTable(b)))
})

t.test('a name that PostgreSQL would cut is made short by us, and stays different from others', async (t) => {
  const long = 'x'.repeat(70)
  t.equal(sqlName(long).length, 63)
  t.not(sqlName(`${long}a`), sqlName(`${long}b`))
  fc.assert(
    fc.property(
      key,
      key,
      (entity, field) => quoteName(constraintName(linesTable(entity, field), ['x'], 'fkey')).length <= 65,
    ),
  )
})

t.test('nothing but a plain name gets into SQL text', async (t) => {
  for (const wrong of ['', 'a"b', 'A', '1a', 'a b', 'a;b', 'ä', 'a'.repeat(64), 'a\0']) {
    t.throws(() => quoteName(wrong), /cannot be an SQL name/, JSON.stringify(wrong))
  }
  t.equal(quoteName('select'), '"select"')
})
