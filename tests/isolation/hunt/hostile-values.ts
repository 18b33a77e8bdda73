// What nobody sends who means well: each kind of value that a database, a date or a number cannot hold, at one place of a
// request that would otherwise be answered.
import type { Call } from './call.ts'
import type { Random } from './random.ts'

const lines = (of: string, times: number) => of.repeat(times)

const moments: readonly string[] = [
  '0000-01-01',
  '2026-02-30',
  '9999-12-31',
  '2026-01-01',
  '0000-01-01T00:00:00Z',
  '0001-01-01T00:00:00+12:00',
  '9999-12-31T23:59:60Z',
  '9999-12-31T23:59:59-15:59',
  '2026-01-01T00:00:00+23:59',
  `2026-01-01T00:00:00.${lines('1', 150)}Z`,
  '275760-09-13T00:00:00Z',
]

const ids: readonly string[] = [
  'urn:uuid:01890a5d-ac96-774b-bcce-b302099a8057',
  '00000000-0000-0000-0000-000000000000',
  '{01890a5d-ac96-774b-bcce-b302099a8057}',
  '01890a5dac96774bbcceb302099a8057',
]

const numbers: readonly string[] = [
  '-1',
  '0',
  '1.5',
  '1e9',
  '2147483648',
  '9223372036854775808',
  lines('9', 15),
  lines('9', 18),
  lines('9', 190),
  'NaN',
  'Infinity',
]

/** As they stand in a path or a query. */
const texts: readonly string[] = [
  ...moments,
  ...ids,
  ...numbers,
  '\u0000',
  'a\u0000b',
  '',
  ' ',
  "'",
  '%',
  '\\',
  'null',
  '__proto__',
  'constructor',
  'toString',
  '*',
  'a,b,,c',
  '\u202e\ufeff\uffff',
  '\u{1f469}\u200d\u{1f467}',
  Buffer.from('{"a":"\u0000"}').toString('base64url'),
  Buffer.from('["x",null,"\\u0000"]').toString('base64url'),
  Buffer.from('99999999999999999999.99999999999999999999').toString('base64url'),
]

/** Half of the time one that looks as what stood there: another is refused for its looks alone. */
function textLike(before: string, random: Random): string {
  const kinds = [
    { form: /^[0-9a-f]{8}-|^uuid/, of: ids },
    { form: /^\d{4}-\d{2}-|^date/, of: moments },
    { form: /^\d+$|^integer/, of: numbers },
  ]
  const alike = kinds.find(({ form }) => form.test(before))
  return random.pick(alike && random.chance(0.5) ? alike.of : texts) ?? ''
}

/** In a body besides. A function of what was there before, where it takes that up. */
const values: readonly unknown[] = [
  ...texts,
  'a\ud800b',
  '\udfff',
  null,
  true,
  0,
  -1,
  1.5,
  2 ** 31,
  2 ** 53,
  1e21,
  1e308,
  [],
  {},
  ['a'],
  [null],
  { '\u0000': 1 },
  { '\ud800': 'x' },
  { __proto__: null, a: { b: { c: '\u0000' } } },
  lines('x', 100_000),
  Array.from({ length: 2_000 }, () => 'x'),
]

const headers: readonly (readonly [string, string])[] = [
  ['if-match', '"99999999999999999999"'],
  ['if-match', '"0"'],
  ['if-match', '*'],
  ['if-match', '"\u00ff'],
  ['if-none-match', '"'],
  ['idempotency-key', '\u00ff'],
  ['x-tenant-id', '\u00ff\u00fe'],
  ['x-tenant-id', lines('x', 8_000)],
  ['x-tenant-id', 'a%00b'],
  ['cookie', 'plinth.session_token=%00.%00; __Host-plinth=%00'],
  ['user-agent', '\u00ff'.repeat(2_000)],
  ['x-forwarded-for', '\u00ff'],
  ['x-forwarded-host', '%00.example'],
  ['traceparent', '00-\u00ff'],
  ['accept-language', '\u00ff,*;q=NaN'],
  ['origin', 'null\u00ff'],
  ['content-type', 'application/json; charset=utf-16'],
]

type Container = Record<string, unknown> | unknown[]

const isContainer = (value: unknown): value is Container => typeof value === 'object' && value !== null

/** Every place in a body, also those inside of others. */
function placesOf(body: unknown): { readonly holder: Container; readonly key: string }[] {
  if (!isContainer(body)) return []
  return Object.entries(body).flatMap(([key, value]) => [{ holder: body, key }, ...placesOf(value)])
}

function spoilBody(call: Call, random: Random): string {
  const body: unknown = structuredClone(call.body)
  const places = placesOf(body)
  const place = random.pick(places)
  if (!place || random.chance(0.05)) {
    call.body = random.pick(values)
    return 'body'
  }
  const before: unknown = Reflect.get(place.holder, place.key)
  const value = random.chance(0.5) ? textLike(String(before), random) : random.pick(values)
  // In a list it would stand behind millions of holes.
  if (Array.isArray(place.holder) || !random.chance(0.1)) Object.assign(place.holder, { [place.key]: value })
  else Object.assign(place.holder, { [String(random.pick(texts))]: value })
  call.body = body
  return `body ${place.key}`
}

function spoilPath(call: Call, random: Random): string {
  const parts = call.path.split('/')
  const at = random.pick(
    call.route.path.split('/').flatMap((part, index) => (part.startsWith('{') ? [index] : [])),
  )
  if (at === undefined) return 'nothing'
  parts[at] = encodeURIComponent(textLike(parts[at] ?? '', random) || ' ')
  call.path = parts.join('/')
  return `path ${at}`
}

function spoilQuery(call: Call, random: Random): string {
  const declared = random.pick(call.route.query)
  const isDeclared = declared && random.chance(0.7)
  const name = (isDeclared ? declared.name : random.pick(['tenant', 'cursor', 'limit'])) ?? 'limit'
  const { format, type, description = '' } = (isDeclared && declared.schema) || {}
  const value = textLike(`${format ?? type} ${description}`, random)
  const operator = random.pick(['', '', '', '[gte]', '[contains]', '[in]', '[]', '[\u0000]']) ?? ''
  call.query.push([`${name}${operator}`, value])
  // Given twice it is a list.
  if (random.chance(0.15)) call.query.push([`${name}${operator}`, random.pick(texts) ?? ''])
  return `query ${name}${operator}`
}

function spoilHeader(call: Call, random: Random): string {
  const [name, value] = random.pick(headers) ?? ['if-match', '']
  call.headers[name] = value
  return `header ${name}`
}

/** One place of the call is hostile now; answers with which. */
export function spoil(call: Call, random: Random): string {
  const ways = [
    spoilQuery,
    ...(call.path === call.route.path ? [] : [spoilPath]),
    ...(call.body === undefined ? [] : [spoilBody, spoilBody, spoilBody, spoilBody]),
    ...(random.chance(0.2) ? [spoilHeader] : []),
  ]
  return (random.pick(ways) ?? spoilQuery)(call, random)
}
