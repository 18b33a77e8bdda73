import t from 'tap'
import { isPlinthError } from '../../errors.ts'
import { isMoment } from './storable-formats.ts'
import { checkBodyTexts, checkUrlTexts } from './storable-input.ts'

/** Field and code of what is refused; undefined when nothing is. */
function refused(check: () => void): readonly [field: string, code: string] | undefined {
  try {
    check()
    return undefined
  } catch (error) {
    if (!isPlinthError(error) || error.code !== 'VALIDATION_FAILED') throw error
    const [first] = error.data['errors'] as { field: string; code: string }[]
    return [first?.field ?? '', first?.code ?? '']
  }
}

const body = (value: unknown) => refused(() => checkBodyTexts(value))
const url = (text: string, params = {}) => refused(() => checkUrlTexts({ url: text, params }))
const nested = (levels: number) => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`)

t.test('a text that no database keeps is refused with the place where it stands', async (t) => {
  t.same(body({ name: 'a\0b' }), ['name', 'TEXT_INVALID'])
  t.same(body({ lines: [{ memo: 'fine' }, { memo: '\ud800' }] }), ['lines.1.memo', 'TEXT_INVALID'])
  t.same(body({ lines: [{ 'me\0mo': 1 }] }), ['lines.0.memo', 'TEXT_INVALID'])
  t.same(body('\0'), ['body', 'TEXT_INVALID'])
})

t.test('a body nested deeper than its readers go is refused, however deep it is', async (t) => {
  t.equal(body(nested(100)), undefined)
  t.same(body(nested(101)), ['body', 'TOO_DEEP'])
  t.same(body(nested(400_000)), ['body', 'TOO_DEEP'])
})

t.test('every other text passes', async (t) => {
  t.equal(
    body({ name: '\u0001\t\n\u{1f469}\u200d\u{1f467}\uffff', none: null, yes: true, many: [1, 'x', []] }),
    undefined,
  )
  t.equal(body(undefined), undefined)
})

t.test('a NUL in a URL is refused with the parameter it stands in', async (t) => {
  t.same(url('/v1/x/a%00', { id: 'a\0' }), ['id', 'TEXT_INVALID'])
  t.same(url('/v1/x?a=1&cursor=%00'), ['cursor', 'TEXT_INVALID'])
  t.same(url('/v1/x?a=1&tenant=%ff%00'), ['tenant', 'TEXT_INVALID'])
  t.same(url('/v1/x?b%00c=1'), ['bc', 'TEXT_INVALID'])
  t.equal(url('/v1/x/%2500?a=%2500', { id: '%00' }), undefined)
})

t.test('a moment is one for PostgreSQL and for Date', async (t) => {
  for (const good of [
    '2026-01-01T00:00:00Z',
    '2026-01-01T00:00:00.123456+05:30',
    '0001-01-01 00:00:00-15:59',
  ])
    t.ok(isMoment(good), good)
  for (const wrong of [
    '0000-01-01T00:00:00Z',
    '0001-01-01T00:00:00+01:00',
    '9999-12-31T23:59:00-01:00',
    '2026-01-01T23:59:60Z',
    '2026-01-01T00:00:00+23:00',
    '2026-02-29T00:00:00Z',
    '2026-01-01T24:00:01Z',
    `2026-01-01T00:00:00.${'1'.repeat(200)}Z`,
    '2026-01-01T00:00:00',
    '2026-01-01',
  ])
    t.notOk(isMoment(wrong), wrong)
})
