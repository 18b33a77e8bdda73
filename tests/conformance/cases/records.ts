// ctx.entities: reading, filters, sorts, pages, writing, and what is refused.
import { answers, type Case, refuses } from '../case.ts'

const listed = (name: string, where: string, options: string, found: readonly number[]): Case =>
  answers(
    name,
    `async (ctx) => { await five(ctx); return (await ctx.entities.note.list(${where}, ${options})).items.map((one) => one.n) }`,
    found,
  )

export const recordCases: readonly Case[] = [
  answers(
    'create, get, update, lock, delete',
    `async (ctx) => {
      const made = await ctx.entities.note.create({ text: 'a', price: { amount: '2.50', currency: 'USD' }, lines: [{ what: 'x', count: 1 }, { what: 'y', count: 2 }] })
      const got = await ctx.entities.note.get(made.id)
      const changed = await ctx.entities.note.update(made.id, { text: 'b', n: 9, lines: [] })
      const locked = await ctx.entities.note.lock(made.id)
      const cleared = await ctx.entities.note.update(made.id, { n: null, status: 'closed' })
      const gone = await ctx.entities.note.delete(made.id)
      return [made, got, changed, locked, cleared, gone === undefined]
    }`,
    undefined,
  ),
  answers(
    'the fields of a record are in one order',
    `async (ctx) => Object.keys(await ctx.entities.note.create({ on: '2026-01-01', text: 'a', kind: 'b', n: 1 }))`,
    undefined,
  ),
  listed('equality', `{ n: 2 }`, '{}', [2]),
  listed('equality with a date', `{ on: '2026-01-05' }`, '{}', [4]),
  listed('equality with a decimal', `{ amount: '3.50' }`, '{}', [3]),
  listed('bounds exclude', `{ n: { after: 1, before: 4 } }`, `{ sort: 'n' }`, [2, 3]),
  listed(
    'bounds on dates',
    `{ on: { after: '2026-01-02', before: '2026-01-05' } }`,
    `{ sort: '-n' }`,
    [3, 2],
  ),
  listed('one of several', `{ n: { in: [5, 1, 77] } }`, `{ sort: 'n' }`, [1, 5]),
  listed('none of an empty list', `{ n: { in: [] } }`, '{}', []),
  listed('not', `{ kind: { not: 'a' } }`, `{ sort: 'n' }`, [2, 4]),
  listed('truth', `{ done: true }`, `{ sort: '-n' }`, [5, 4]),
  listed('several conditions', `{ done: false, kind: 'a', n: { after: 1 } }`, '{}', [3]),
  listed('a state', `{ status: 'open' }`, `{ sort: 'text', limit: 2 }`, [1, 2]),
  listed('sorted by a date, descending', '{}', `{ sort: '-on' }`, [5, 4, 3, 2, 1]),
  listed('sorted by number: as they were made', '{}', `{ sort: 'number' }`, [3, 1, 5, 2, 4]),
  answers(
    'pages by their cursor',
    `async (ctx) => {
      await five(ctx)
      const pages = []
      let cursor
      do {
        const page = await ctx.entities.note.list({}, { sort: 'n', limit: 2, ...(cursor ? { cursor } : {}) })
        pages.push(page.items.map((one) => one.n))
        cursor = page.cursor
      } while (cursor)
      return pages
    }`,
    [[1, 2], [3, 4], [5]],
  ),
  {
    name: 'each gives all, in order, over several batches',
    run: `async (ctx, { n }) => {
      if (n < 240) { for (let m = n; m < n + 40; m += 1) await ctx.entities.note.create({ text: 't', n: m }); return 'made' }
      let sum = 0, last = -1, sorted = true
      for await (const one of ctx.entities.note.each({}, { sort: 'n' })) { sum += one.n; sorted &&= one.n > last; last = one.n }
      return [sum, sorted]
    }`,
    steps: [0, 40, 80, 120, 160, 200, 240].map((n) => ({
      body: { n },
      status: 200,
      has: { answer: n < 240 ? 'made' : [28_680, true] },
    })),
  },
  answers(
    'each can be left early',
    `async (ctx) => { await five(ctx); for await (const one of ctx.entities.note.each({}, { sort: '-n' })) return one.n }`,
    5,
  ),
  refuses(
    'a filter that is undefined',
    `(ctx) => ctx.entities.note.list({ n: undefined })`,
    502,
    'PLUGIN_FAILED',
  ),
  refuses(
    'a filter on a field that is not there',
    `(ctx) => ctx.entities.note.list({ never: 1 })`,
    422,
    'VALIDATION_FAILED',
  ),
  refuses(
    'a filter with a wrong value',
    `(ctx) => ctx.entities.note.list({ n: 'many' })`,
    422,
    'VALIDATION_FAILED',
  ),
  refuses(
    'a sort by what is not there',
    `(ctx) => ctx.entities.note.list({}, { sort: 'never' })`,
    422,
    'VALIDATION_FAILED',
  ),
  refuses('too long a page', `(ctx) => ctx.entities.note.list({}, { limit: 500 })`, 502, 'CAPABILITY_DENIED'),
  refuses(
    'a cursor that is none',
    `(ctx) => ctx.entities.note.list({}, { cursor: 'x' })`,
    400,
    'CURSOR_INVALID',
  ),
  refuses(
    'an option that is not there',
    `(ctx) => ctx.entities.note.list({}, { offset: 3 })`,
    502,
    'CAPABILITY_DENIED',
  ),
  refuses('a record that is not there', `(ctx) => ctx.entities.note.get(absentId)`, 404, 'RECORD_NOT_FOUND'),
  refuses('an id that is none', `(ctx) => ctx.entities.note.get('7')`, 404, 'RECORD_NOT_FOUND'),
  refuses('an id that is no text', `(ctx) => ctx.entities.note.get(7)`, 502, 'CAPABILITY_DENIED'),
  refuses(
    'a record with a missing field',
    `(ctx) => ctx.entities.note.create({ n: 1 })`,
    422,
    'VALIDATION_FAILED',
  ),
  refuses(
    'a record with several wrong fields',
    `(ctx) => ctx.entities.note.create({ text: '', n: 1.5, on: 'never', other: 1, price: { amount: '1.234', currency: 'USD' } })`,
    422,
    'VALIDATION_FAILED',
  ),
  refuses(
    'a transition that is not declared',
    `async (ctx) => { const { id } = await ctx.entities.note.create({ text: 'a' }); await ctx.entities.note.update(id, { status: 'closed' }); await ctx.entities.note.update(id, { status: 'open' }) }`,
    409,
    'TRANSITION_INVALID',
  ),
  refuses(
    'a change in a state that is final',
    `async (ctx) => { const { id } = await ctx.entities.note.create({ text: 'a' }); await ctx.entities.note.update(id, { status: 'void' }); await ctx.entities.note.update(id, { text: 'b' }) }`,
    409,
    'RECORD_IMMUTABLE',
  ),
  refuses(
    'a reference to nothing',
    `(ctx) => ctx.entities.note.create({ text: 'a', parent: absentId })`,
    422,
    'VALIDATION_FAILED',
  ),
  refuses(
    'the delete of a record that others refer to',
    `async (ctx) => { const { id } = await ctx.entities.note.create({ text: 'a' }); await ctx.entities.note.create({ text: 'b', parent: id }); await ctx.entities.note.delete(id) }`,
    409,
    'RECORD_IN_USE',
  ),
  refuses(
    'what the actor may not do, the plugin does not do for him',
    `async (ctx) => { const { id } = await ctx.entities.note.create({ text: 'a' }); await ctx.entities.note.delete(id) }`,
    403,
    'FORBIDDEN',
    { as: 'member' },
  ),
  answers(
    'an entity that is not declared is not there',
    `(ctx) => [typeof ctx.entities.never, Object.keys(ctx.entities), typeof ctx.entities.toString]`,
    ['undefined', ['note', 'guarded'], 'undefined'],
  ),
]
