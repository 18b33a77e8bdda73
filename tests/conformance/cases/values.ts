// What becomes of values on their way out, in, and into the database: JSON's rules in both runtimes.
import { answers, type Case, refuses } from '../case.ts'

/** `a` is a list in a list, so many times; the answer around it is one more. */
const nest = (then: string, times: number) =>
  `(ctx) => { let a = []; for (let n = 0; n < ${times}; n += 1) a = [a]; return ${then} }`

export const valueCases: readonly Case[] = [
  answers(
    'undefined fields are left out, in lists they are null',
    `() => ({ a: undefined, b: [undefined, 1], c: null })`,
    { b: [null, 1], c: null },
  ),
  answers('numbers that are none', `() => [NaN, Infinity, -0, 1e21, 0.1 + 0.2]`, [
    null,
    null,
    0,
    1e21,
    0.1 + 0.2,
  ]),
  answers('a Date is its text', `() => new Date(86_400_000)`, '1970-01-02T00:00:00.000Z'),
  answers(
    'a Map, a Set and a class are their fields',
    `() => [new Map([[1, 2]]), new Set([1]), new (class { a = 1; #b = 2; get c() { return 3 } })()]`,
    [{}, {}, { a: 1 }],
  ),
  answers('toJSON is asked', `() => ({ toJSON: () => ({ told: true }) })`, { told: true }),
  answers(
    'functions and symbols are left out',
    `() => ({ f: () => 1, s: Symbol('x'), l: [() => 1], k: { [Symbol('y')]: 1 } })`,
    { l: [null], k: {} },
  ),
  answers('boxed values', `() => [Object('a'), Object(1), Object(true)]`, ['a', 1, true]),
  answers('typed arrays', `() => new Uint8Array([1, 2])`, { 0: 1, 1: 2 }),
  answers('nested null and empty things', `() => ({ a: { b: { c: null } }, d: {}, e: [], f: [[], {}] })`, {
    a: { b: { c: null } },
    d: {},
    e: [],
  }),
  answers(
    'text of all kinds',
    `() => ['é', '日本', '😀', '👩‍👩‍👧', '\\u2028', '\\u0000', '\\\\ "', '\\ud800', '</script>']`,
    undefined,
  ),
  answers(
    'keys that mean something elsewhere',
    `() => JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":1},"then":1,"toString":2}')`,
    undefined,
  ),
  answers('the order of keys', `() => ({ z: 1, a: 2, 2: 3, 1: 4 })`, undefined),
  answers('a thenable is awaited', `() => ({ then: (resolve) => resolve({ awaited: true }) })`, {
    awaited: true,
  }),
  answers(
    'a Proxy is what it shows',
    `() => new Proxy({ a: 1 }, { ownKeys: () => ['b'], get: (_, key) => String(key), getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }) })`,
    undefined,
  ),
  answers('an Error is its own fields', `() => Object.assign(new Error('not shown'), { shown: 1 })`, {
    shown: 1,
  }),
  answers('a result of 250 KB', `() => 'é😀x'.repeat(35_700)`, 'é😀x'.repeat(35_700)),
  answers(
    'an input of 250 KB arrives whole',
    `(ctx, { text }) => [text.length, text.slice(-3)]`,
    [3_999, 'xyz'],
    {
      input: { text: `${'é'.repeat(3_996)}xyz` },
    },
  ),
  answers(
    'a call with 250 KB',
    `async (ctx) => { const lines = Array.from({ length: 1000 }, (_, n) => ({ what: 'é'.repeat(100) + n, count: n })); const made = await ctx.entities.note.create({ text: 'big', lines }); return [made.lines.length, (await ctx.entities.note.get(made.id)).lines[999].what.length] }`,
    [1000, 103],
  ),
  refuses('a BigInt', `() => 10n`, 502, 'PLUGIN_FAILED'),
  refuses('a circle', `() => { const a = []; a.push(a); return a }`, 502, 'PLUGIN_FAILED'),
  answers('nesting as deep as may be', nest('a', 62), undefined),
  refuses('nesting that is too deep', nest('a', 63), 502, 'LIMIT_EXCEEDED'),
  refuses('nesting that is far too deep', nest('a', 2_000), 502, 'LIMIT_EXCEEDED'),
  refuses(
    'an argument that is nested too deeply, caught',
    nest("ctx.entities.note.create({ text: 'a', lines: a }).catch(() => 'went on')", 64),
    502,
    'LIMIT_EXCEEDED',
  ),
  answers(
    'what a record gets back is a copy',
    `async (ctx) => { const values = { text: 'a', lines: [{ what: 'x', count: 1 }] }; const made = await ctx.entities.note.create(values); values.lines[0].what = 'changed'; made.text = 'mine'; const again = await ctx.entities.note.get(made.id); return [again.text, again.lines[0].what] }`,
    ['a', 'x'],
  ),
  answers(
    'an undefined field of a record is left out',
    `async (ctx) => { const made = await ctx.entities.note.create({ text: 'a', n: undefined, on: undefined }); return [made.n === undefined, 'n' in made] }`,
    [true, false],
  ),
  refuses(
    'a null where a value must be',
    `(ctx) => ctx.entities.note.create({ text: null })`,
    422,
    'VALIDATION_FAILED',
  ),
  refuses(
    'a Date where a day must be',
    `(ctx) => ctx.entities.note.create({ text: 'a', on: new Date(0) })`,
    422,
    'VALIDATION_FAILED',
  ),
  answers(
    'a number that is none is no value in a record',
    `async (ctx) => { const made = await ctx.entities.note.create({ text: 'a', n: NaN }); return 'n' in made }`,
    false,
  ),
  refuses(
    'a record with the key __proto__',
    `(ctx) => ctx.entities.note.create(JSON.parse('{"text":"a","__proto__":{"n":1}}'))`,
    422,
    'VALIDATION_FAILED',
  ),
  answers(
    'objects of the kernel are the plugin’s own kind',
    `async (ctx, input) => { const made = await ctx.entities.note.create({ text: 'a' }); return [made, input, ctx.settings, ctx.tenant].map((one) => Object.getPrototypeOf(one) === Object.prototype) }`,
    [true, true, true, true],
  ),
  answers(
    'promises are the plugin’s own kind',
    `async (ctx) => { const all = [ctx.entities.note.list(), ctx.entities.note.get('x').catch(() => 0)]; await Promise.all(all); return all.map((one) => one instanceof Promise) }`,
    [true, true],
  ),
]
