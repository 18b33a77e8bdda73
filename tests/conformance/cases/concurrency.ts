// Invocations beside each other, and what stays from one to the next.
import { type Case, refuses } from '../case.ts'

const counted = (answer: unknown) => ({ status: 200, has: { answer } })

export const concurrencyCases: readonly Case[] = [
  {
    name: 'variables of the module last from one request of a tenant to the next, and are its own',
    run: '() => (count += 1)',
    steps: [
      counted(1),
      counted(2),
      { ...counted(1), as: 'neighbour' },
      counted(3),
      { ...counted(4), as: 'member' },
    ],
  },
  {
    name: 'two requests of one tenant share variables while both run',
    run: `async (ctx, { text }) => { kept.set(text, 1); while (kept.size < 2) await ctx.entities.note.list({}, { limit: 1 }); return [...kept.keys()].sort() }`,
    steps: [
      [
        { body: { text: 'a' }, ...counted(['a', 'b']) },
        { body: { text: 'b' }, ...counted(['a', 'b']) },
      ],
    ],
    differs: 'how often each looks for the other depends on the time',
  },
  {
    name: 'many requests at once each get their own answer, and their own lines in the log',
    run: `async (ctx, { n }) => { console.log('started ' + n); const { id } = await ctx.entities.guarded.create({ text: 'n' + n }); console.log('made ' + n); const { text } = await ctx.entities.guarded.get(id); console.log('got ' + text); return text }`,
    steps: [Array.from({ length: 12 }, (_, n) => ({ body: { n }, status: 200, has: { answer: `n${n}` } }))],
  },
  {
    name: 'one request that fails takes no other of another tenant with it',
    run: `async (ctx, { text }) => { await ctx.entities.note.list(); if (text === 'fail') throw new Error('x'); return text }`,
    steps: [
      [
        { body: { text: 'fail' }, status: 502 },
        { body: { text: 'fine' }, status: 200, as: 'neighbour' },
        { body: { text: 'well' }, status: 200 },
      ],
    ],
  },
  {
    name: 'calls of one handler are answered in any order and each to its own',
    run: `async (ctx) => { const made = await five(ctx); const got = await Promise.all(made.map(({ id }) => ctx.entities.note.get(id))); return got.map((one) => one.n) }`,
    steps: [counted([3, 1, 5, 2, 4])],
  },
  {
    name: 'writes that are under way together keep their order',
    run: `async (ctx) => { await Promise.all([3, 1, 2].map((n) => ctx.entities.note.create({ text: 'p', n }))); return (await ctx.entities.note.list({}, { sort: 'number' })).items.map((one) => [one.n, one.number]) }`,
    steps: [
      counted([
        [3, 'N-0001'],
        [1, 'N-0002'],
        [2, 'N-0003'],
      ]),
    ],
    differs: 'audit rows of writes under way together stand in the order of their answers',
  },
  {
    name: 'the order of microtasks within a handler',
    run: `async (ctx) => { const order = []; const step = async (name) => { order.push(name + 1); await null; order.push(name + 2) }; await Promise.all([step('a'), step('b')]); await ctx.entities.note.list(); await Promise.all([step('c'), step('d')]); return order }`,
    steps: [counted(['a1', 'b1', 'a2', 'b2', 'c1', 'd1', 'c2', 'd2'])],
  },
  {
    name: 'a ctx that was kept is of no use in the next request',
    run: `async (ctx, { text }) => { if (text === 'keep') { kept.set('ctx', ctx); return 'kept' } await kept.get('ctx').entities.note.create({ text: 'late' }) }`,
    steps: [
      { body: { text: 'keep' }, ...counted('kept') },
      { body: { text: 'use' }, status: 502, has: { code: 'PLUGIN_FAILED' } },
    ],
  },
  {
    name: 'what a plugin does to built-ins is its tenant’s alone',
    run: `() => { const before = [].polluted; Array.prototype.polluted = 1; return before === undefined }`,
    steps: [counted(true), counted(false), { ...counted(true), as: 'neighbour' }],
  },
  {
    name: 'a handler that goes on after a limit writes nothing',
    run: `async (ctx) => { const hit = ctx.entities.note.create({ text: 'x'.repeat(300_000) }); hit.catch(() => 0); await ctx.entities.note.create({ text: 'after' }) }`,
    steps: [
      { status: 502, has: { code: 'LIMIT_EXCEEDED' } },
      { method: 'GET', path: 'subject/notes', status: 200, has: { items: [] } },
    ],
  },
  refuses(
    'a service that never answers ends with its caller’s time',
    `(ctx) => ctx.uses.helper.stall()`,
    504,
    'PLUGIN_DEADLINE_EXCEEDED',
    { differs: 'both run out of time at once, and either may say so first' },
  ),
  refuses('a handler that never answers', `() => new Promise(() => {})`, 504, 'PLUGIN_DEADLINE_EXCEEDED'),
]
