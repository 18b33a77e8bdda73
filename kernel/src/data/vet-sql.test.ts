import fc from 'fast-check'
import t from 'tap'
import { isPlinthError } from '../errors.ts'
import { hostileTexts } from './vet-sql/hostile-texts.fixture.ts'
import { ordinaryReports, reportTables } from './vet-sql/ordinary-reports.fixture.ts'
import { createSqlVetter, vetSql } from './vet-sql.ts'

const scope = { schema: 'plugin_ledger', tables: reportTables, maxRows: 1000 }

const refusalOf = (text: string): string | undefined => {
  try {
    vetSql(text, scope)
    return undefined
  } catch (error) {
    return isPlinthError(error) && error.code === 'SQL_REFUSED' ? error.message : `not a refusal: ${error}`
  }
}

t.test('every hostile text is refused with a reason', async (t) => {
  for (const text of hostileTexts) t.match(refusalOf(text), /^SQL refused: \S.*[.]$/, text.slice(0, 100))
})

t.test('ordinary reports pass', async (t) => {
  for (const [name, { text }] of Object.entries(ordinaryReports)) t.equal(refusalOf(text), undefined, name)
})

t.test('what runs is the checked tree, with the schema before each table of the plugin', async (t) => {
  const { text, statement } = vetSql(
    `select a.code /* comment */, count(*) from account as a where a.type = $1 group by a.code -- end`,
    scope,
  )
  t.equal(
    text,
    'SELECT a.code, count(*) FROM plugin_ledger.account AS a WHERE a.type = $1 GROUP BY a.code LIMIT 1001',
  )
  t.equal(statement(['asset'], 'ada').values.length, 1)
  t.throws(() => statement([], 'ada'), /it has 1 parameters, and 0 values came with it/)
})

t.test('a WITH query is not taken for a table', async (t) => {
  const { text } = vetSql('with big as (select id from account) select id from big', scope)
  t.match(text, 'FROM big')
  t.match(text, 'FROM plugin_ledger.account')
})

t.test('the number of rows is bounded, whatever LIMIT the report has', async (t) => {
  for (const limit of ['', 'limit 5', 'limit all', 'limit null', 'limit $1', 'fetch first 5 rows only']) {
    t.match(vetSql(`select id from account ${limit}`, scope).text, /LIMIT (LEAST\(.*1001\)|1001)$/, limit)
  }
  t.notMatch(vetSql('select id from account', { tables: reportTables }).text, 'LIMIT')
})

t.test('a refusal names what is wrong', async (t) => {
  t.match(
    refusalOf('select id from acount'),
    "there is no table 'acount' of this plugin. Its tables: account",
  )
  t.match(refusalOf('select a.nam from account a'), "'a' has no column 'nam'. It has: id, version")
  t.match(refusalOf('select pg_sleep(1)'), "the function 'pg_sleep' is not one a report may use.")
  t.match(refusalOf('select * into x from account'), 'SELECT INTO is not allowed.')
  t.match(refusalOf('select id from account for update'), 'FOR UPDATE or FOR SHARE is not allowed.')
  t.match(refusalOf('select 1; select 2'), 'one SELECT is allowed, this text has 2 statements.')
  t.match(refusalOf('update account set name = $1'), 'only SELECT is allowed; UPDATE is not allowed.')
  t.match(refusalOf('select id form account'), 'syntax error')
})

t.test('a name with quotes in it stays a name', async (t) => {
  const { text } = vetSql('select 1 as "a""; drop table account; --"', scope)
  t.match(text, 'AS "a""; drop table account; --"')
  t.match(vetSql(`select 'it''s; drop' as x`, scope).text, `'it''s; drop'`)
})

t.test('a known text is not vetted again, and a refused one pushes nothing out', async (t) => {
  const vet = createSqlVetter(scope, 1_000)
  const first = vet('select id from account')
  t.throws(() => vet('select pg_sleep(1)'))
  t.equal(vet('select id from account'), first)
  for (let i = 0; i < 50; i++) vet(`select id, ${i} from account`)
  t.not(vet('select id from account'), first, 'the memory is bounded')
})

t.test('no text makes the vetting end in anything but a result or SQL_REFUSED', async (t) => {
  const isSafe = (text: string) => !refusalOf(text)?.startsWith('not a refusal')
  const word = fc.constantFrom(
    ...ordinaryReports.trialBalance.text.split(/\s+/),
    ...hostileTexts.flatMap((text) => text.slice(0, 200).split(/\s+/)),
  )
  const likeSql = fc.array(word, { maxLength: 25 }).map((words) => `select ${words.join(' ')}`)
  const anyText = fc.string({ unit: 'binary', maxLength: 200 })
  fc.assert(fc.property(anyText, isSafe), { numRuns: 1_000 })
  fc.assert(fc.property(likeSql, isSafe), { numRuns: 2_000 })
  for (const deep of ['(', 'not ', '-', '1+', 'abs(', 'case when ', '(select ', "'a'||"]) {
    t.ok(isSafe(`select ${deep.repeat(10_000)}1${')'.repeat(10_000)}`), deep)
    t.ok(isSafe(`select ${deep.repeat(10_000)}1`), deep)
  }
  t.ok(isSafe('select 1'), 'the parser stays usable')
})

t.test('a vetted text means the same when it is vetted again', async (t) => {
  for (const [name, { text }] of Object.entries(ordinaryReports)) {
    const once = vetSql(text, { tables: reportTables }).text
    t.equal(vetSql(once, { tables: reportTables }).text, once, name)
  }
})
