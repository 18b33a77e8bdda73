// What is accepted from clients, and how what is wrong with it is named.
import type { FieldSpecs } from '@plinth/sdk'
import t from 'tap'
import { isPlinthError } from '../../errors.ts'
import { jsonSchemaForFields } from './json-schema.ts'
import { parseFields, parseRecord } from './parse-fields.ts'

const fields: FieldSpecs = {
  number: { kind: 'sequence', pattern: 'JE-{year}-{00000}', at: 'posted' },
  date: { kind: 'date' },
  description: { kind: 'text', min: 1, max: 10 },
  type: { kind: 'choice', values: ['asset', 'liability'], default: 'asset' },
  count: { kind: 'int', min: 0, max: 9, optional: true },
  rate: { kind: 'decimal', optional: true },
  active: { kind: 'bool', default: true },
  parent: { kind: 'ref', entity: 'account', optional: true },
  lines: { kind: 'lines', fields: { debit: { kind: 'money' }, memo: { kind: 'text', optional: true } } },
  status: { kind: 'state', transitions: { draft: ['posted'], posted: [] } },
}
const good = { date: '2026-02-28', description: 'x', lines: [] }

const wrongIn = (parse: () => unknown): string[] => {
  try {
    parse()
    return []
  } catch (error) {
    if (!isPlinthError(error) || error.code !== 'VALIDATION_FAILED') throw error
    const found = error.data['errors']
    return Array.isArray(found) ? found.map((e) => `${e.field} ${e.code}`) : []
  }
}
const createWith = (more: object) => wrongIn(() => parseRecord(fields, { ...good, ...more }, 'create'))

t.test('every wrong field is named at once, with its path', async (t) => {
  const lines = [
    { debit: { amount: '1', currency: 'USD' } },
    { debit: { amount: '1.005', currency: 'USD' }, memo: 'a\0b' },
    { debit: { amount: '1', currency: 'XXQ' }, creditt: 1 },
    7,
  ]
  t.same(
    createWith({ date: '2026-02-30', description: '', count: 10, lines, status: 'posted', number: 'JE-1' }),
    [
      'number NOT_SETTABLE',
      'date DATE_INVALID',
      'description TOO_SHORT',
      'count TOO_LARGE',
      'lines.1.debit.amount TOO_MANY_DECIMALS',
      'lines.1.memo TEXT_INVALID',
      'lines.2.creditt UNKNOWN_FIELD',
      'lines.2.debit.currency CURRENCY_UNKNOWN',
      'lines.3 WRONG_TYPE',
      'status NOT_SETTABLE',
    ],
  )
})

t.test('defaults are filled in, and a missing required field is named', async (t) => {
  t.same(parseRecord(fields, good, 'create').values, { ...good, type: 'asset', active: true })
  t.same(
    wrongIn(() => parseRecord(fields, {}, 'create')),
    ['date REQUIRED', 'description REQUIRED', 'lines REQUIRED'],
  )
  t.same(
    wrongIn(() => parseRecord(fields, [], 'create')),
    ['body WRONG_TYPE'],
  )
})

t.test('an unknown field is refused with the name that was meant', async (t) => {
  t.throws(() => parseRecord(fields, { ...good, descripton: 'x' }, 'create'), {
    message: /descripton: does not exist. Did you mean 'description'/,
  })
  t.same(createWith({ id: 'x', createdBy: 'y' }), ['id NOT_SETTABLE', 'createdBy NOT_SETTABLE'])
  const parsed: unknown = JSON.parse('{"__proto__": 1, "constructor": 2}')
  t.same(
    wrongIn(() => parseRecord({}, parsed, 'create')),
    ['__proto__ UNKNOWN_FIELD', 'constructor UNKNOWN_FIELD'],
  )
})

t.test('a patch names only what changes, and null clears what is optional', async (t) => {
  t.same(parseRecord(fields, {}, 'patch').values, {})
  t.same(parseRecord(fields, { rate: null, count: 3 }, 'patch').values, { count: 3, rate: null })
  t.same(
    wrongIn(() => parseRecord(fields, { date: null }, 'patch')),
    ['date REQUIRED'],
  )
  t.same(
    wrongIn(() => parseRecord(fields, { status: 'posted' }, 'patch')),
    ['status NOT_SETTABLE'],
  )
  const own = parseRecord(fields, { status: 'posted' }, 'patch', { allowState: true })
  t.same(own.values, { status: 'posted' })
  t.same(
    wrongIn(() => parseRecord(fields, { status: 'gone' }, 'patch', { allowState: true })),
    ['status NOT_A_CHOICE'],
  )
})

t.test('money has exactly the decimals of its currency', async (t) => {
  const amountOf = (amount: unknown, currency: unknown) => {
    const values = parseFields({ m: { kind: 'money' } }, { m: { amount, currency } })
    return (values['m'] as { amount: string }).amount
  }
  t.equal(amountOf('12.5', 'USD'), '12.50')
  t.equal(amountOf('-0', 'USD'), '0.00')
  t.equal(amountOf('007', 'JPY'), '7')
  t.equal(amountOf('1.234', 'KWD'), '1.234')
  t.throws(() => amountOf('1.0', 'JPY'), { message: /must have no decimals: it is in JPY/ })
  t.throws(() => amountOf(12.5, 'USD'), { message: /must be a text such as "12.5", not a number/ })
  for (const wrong of ['1e3', '', ' 1', '1,00', '.5', '5.', 'NaN', '0x1', '１', '9'.repeat(40)]) {
    t.throws(() => amountOf(wrong, 'USD'), { code: 'VALIDATION_FAILED' }, wrong)
  }
  t.throws(() => amountOf('1', 'usd'), { message: /ISO 4217/ })
})

t.test('dates are days of the calendar', async (t) => {
  const isRefused = (d: unknown) => wrongIn(() => parseFields({ d: { kind: 'date' } }, { d })).length > 0
  for (const real of ['2024-02-29', '2000-02-29', '0001-01-01', '9999-12-31']) t.notOk(isRefused(real), real)
  for (const unreal of ['2026-02-29', '1900-02-29', '2026-13-01', '2026-00-10', '2026-04-31', '0000-01-01']) {
    t.ok(isRefused(unreal), unreal)
  }
  for (const other of ['2026-1-1', '2026-01-01T00:00:00Z', 20260101, null, '+02026-01-01']) {
    t.ok(isRefused(other), String(other))
  }
})

t.test('texts are well-formed and have a length in characters', async (t) => {
  const parse = (value: unknown) => wrongIn(() => parseFields({ a: { kind: 'text', max: 2 } }, { a: value }))
  t.same(parse('👍👍'), [])
  t.same(parse('👍👍👍'), ['a TOO_LONG'])
  t.same(parse('\ud800'), ['a TEXT_INVALID'])
  t.same(parse(7), ['a WRONG_TYPE'])
})

t.test('the text of a query string becomes what is declared', async (t) => {
  const query: FieldSpecs = {
    count: { kind: 'int' },
    active: { kind: 'bool' },
    least: { kind: 'money', optional: true },
  }
  t.same(parseFields(query, { count: '12', active: 'true', least: '5 USD' }, { coerce: true }), {
    count: 12,
    active: true,
    least: { amount: '5.00', currency: 'USD' },
  })
  t.same(
    wrongIn(() => parseFields(query, { count: '12', active: 'true' })),
    ['count WRONG_TYPE', 'active WRONG_TYPE'],
  )
  t.same(
    wrongIn(() => parseFields(query, { count: '1e3', active: '1' }, { coerce: true })),
    ['count WRONG_TYPE', 'active WRONG_TYPE'],
  )
})

t.test('schemas say what may be sent and what comes back', async (t) => {
  t.match(jsonSchemaForFields(fields, 'create'), {
    required: ['date', 'description', 'lines'],
    properties: { type: { enum: ['asset', 'liability'], default: 'asset' }, lines: { type: 'array' } },
    additionalProperties: false,
  })
  t.notOk('status' in (jsonSchemaForFields(fields, 'create')['properties'] as object))
  t.match(jsonSchemaForFields(fields, 'patch'), {
    properties: { rate: { anyOf: [{ type: 'string' }, { type: 'null' }] }, date: { format: 'date' } },
  })
  t.notOk('required' in jsonSchemaForFields(fields, 'patch'))
  t.match(jsonSchemaForFields(fields, 'record'), {
    required: ['id', 'version', 'createdAt', 'createdBy', 'updatedAt', 'updatedBy'],
    properties: { status: { enum: ['draft', 'posted'] }, id: { format: 'uuid' } },
  })
})

t.test('a body that is wrong in ten thousand places is answered with the first few', async (t) => {
  const wrong = Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`descriptio${at}`, 1]))
  const refused = t.throws(() => parseRecord(fields, { ...good, ...wrong }, 'create'))
  if (!isPlinthError(refused)) return t.fail('it was not refused by a code')
  const found = refused.data['errors'] as { message: string }[]
  t.equal(found.length, 50)
  t.equal(refused.data['more'], 9_950)
  t.match(refused.message, /^descriptio0: .+ And 9995 more\.$/)
  t.ok(refused.message.length < 500)
  const hints = found.filter(({ message }) => message.includes('Did you mean'))
  t.equal(hints.length, 10, 'names are compared for the first ones only')
})
