// Every kind of handler: routes, actions, services, hooks, and these inside one another.
import { answers, at, type Case, refuses, type Step } from '../case.ts'

const makeNote: Step = { path: 'subject/notes', body: { text: 'first', n: 4 }, status: 201 }
const act = (action: string, step: Omit<Step, 'path'>): Step => ({
  path: at(0, (id) => `subject/notes/${id}/${action}`),
  ...step,
})
const look: Step = { method: 'GET', path: 'subject/notes', status: 200 }

const action = (name: string, key: string, step: Omit<Step, 'path'>): Case => ({
  name,
  steps: [makeNote, act(key, step), look],
})
const route = (name: string, path: string, status: number, has?: unknown): Case => ({
  name,
  steps: [{ method: 'GET', path: `subject/${path}`, status, ...(has === undefined ? {} : { has }) }],
})

export const handlerCases: readonly Case[] = [
  route(
    'a GET route gets its query, converted and with defaults',
    'read?text=a%20b&on=2026-02-28&done=true',
    200,
    {
      query: { n: 1, text: 'a b', on: '2026-02-28', done: true },
    },
  ),
  route('a GET route refuses a wrong query', 'read?n=many', 422, { code: 'VALIDATION_FAILED' }),
  route('a GET route refuses an unknown query', 'read?what=1', 422, { code: 'VALIDATION_FAILED' }),
  route('an answer with declared fields', 'shaped', 200, { count: 2 }),
  route('an answer that is a text', 'bare', 200, 'a "text"'),
  route('an answer that is a list', 'list-of-things', 200, [1, 'two', null]),
  route('no answer at all', 'nothing', 200),
  {
    name: 'a POST route gets money, lines and objects',
    steps: [
      {
        path: 'subject/body',
        body: {
          price: { amount: '1.50', currency: 'USD' },
          lines: [{ what: 'a' }, { what: 'b' }],
          more: { a: 1 },
        },
        status: 200,
        has: { price: { amount: '1.50', currency: 'USD' }, lines: [{ what: 'a' }, { what: 'b' }] },
      },
      { path: 'subject/body', body: { price: 'none' }, status: 422, has: { code: 'VALIDATION_FAILED' } },
    ],
  },
  action('an action with a transition alone', 'close', { status: 200, has: { status: 'closed' } }),
  action('an action whose changes are stored', 'annotate', {
    body: { text: 'more' },
    status: 200,
    has: { text: 'first; more', status: 'open', version: 2 },
  }),
  action('an action with changes and a transition', 'void', {
    body: { text: 'gone' },
    status: 200,
    has: { text: 'gone', on: '2026-03-04', status: 'void' },
  }),
  action('an action that answers nothing', 'nothing', { status: 200, has: { text: 'first', version: 1 } }),
  action('an action that answers no changes and moves', 'empty', { status: 200, has: { status: 'closed' } }),
  action('an action that answers with another record', 'twin', {
    status: 201,
    has: { text: 'twin of first' },
  }),
  action('an action that makes another record and moves its own', 'twin-and-close', {
    status: 201,
    has: { text: 'first', status: 'open' },
  }),
  action('an action that clears a field', 'clear', { status: 200, has: { version: 2 } }),
  action('an action that answers a number', 'number', { status: 502, has: { code: 'PLUGIN_FAILED' } }),
  action('an action that answers an undeclared field', 'stranger', { status: 422 }),
  action('an action that answers a wrong value', 'wrong', { status: 422 }),
  action('an action that refuses', 'refuse', {
    status: 409,
    has: { code: 'CLOSED', detail: 'It is closed for first.' },
  }),
  action('an action that throws moves nothing', 'broken', { status: 502, has: { code: 'PLUGIN_FAILED' } }),
  action('an action sees the whole record', 'look', { status: 200 }),
  {
    name: 'an action on a record that is not there',
    steps: [
      {
        path: 'subject/notes/019a0000-0000-7000-8000-000000000000/annotate',
        body: { text: 'x' },
        status: 404,
        has: { code: 'RECORD_NOT_FOUND' },
      },
    ],
  },
  {
    name: 'an action along no declared transition never calls the plugin',
    steps: [
      makeNote,
      act('close', { status: 200 }),
      act('void', { body: { text: 'x' }, status: 409, has: { code: 'TRANSITION_INVALID' } }),
    ],
  },
  {
    name: 'an action the actor may not do',
    steps: [makeNote, act('twin', { as: 'member', status: 403, has: { code: 'FORBIDDEN' } })],
  },
  answers(
    'a service of another module answers, with that module’s right',
    `async (ctx) => { const { text, may } = await ctx.uses.helper.make({ text: 'tea' }); return { text, may } }`,
    { text: 'tea', may: true },
    { as: 'member' },
  ),
  answers('a service that answers nothing', `async (ctx) => await ctx.uses.helper.nothing()`, null),
  answers(
    'a service reads what it wrote earlier in the transaction',
    `async (ctx) => { for (const text of ['b', 'a']) await ctx.uses.helper.make({ text }); return (await ctx.uses.helper.list({})).all }`,
    ['a', 'b'],
  ),
  answers(
    'a service answers what it declares, defaults included',
    `async (ctx) => await ctx.uses.helper.shaped({ answer: { count: 2 } })`,
    { count: 2, text: 'none' },
  ),
  refuses(
    'a service that answers otherwise undoes the whole, also when its caller catches it',
    `async (ctx) => { await ctx.uses.helper.shaped({ answer: { text: 'x', more: 'y' } }).catch(() => 0) }`,
    502,
    'SERVICE_ANSWER_INVALID',
  ),
  refuses(
    'a service that declares an answer and gives none',
    `(ctx) => ctx.uses.helper.shaped({})`,
    502,
    'SERVICE_ANSWER_INVALID',
  ),
  refuses(
    'a service with an input that is no text of JSON',
    `(ctx) => { const loop = {}; loop.loop = loop; return ctx.uses.helper.make(loop) }`,
    502,
    'PLUGIN_FAILED',
  ),
  refuses(
    'a service with an input that is larger than a call’s',
    `(ctx) => ctx.uses.helper.make({ text: 'x'.repeat(400_000) })`,
    502,
    'LIMIT_EXCEEDED',
  ),
  refuses(
    'a service with an input that answers for itself',
    `(ctx) => ctx.uses.helper.make(new Proxy({}, { ownKeys: () => ['text'], getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }), get: () => 1 }))`,
    422,
    'VALIDATION_FAILED',
  ),
  refuses('a service that is not there', `(ctx) => ctx.uses.helper.unheard({})`, 502, 'CAPABILITY_DENIED'),
  refuses(
    'a service with the name of a property of every object',
    `(ctx) => ctx.uses.helper.constructor({})`,
    502,
    'CAPABILITY_DENIED',
  ),
  refuses(
    'a service with a wrong input',
    `(ctx) => ctx.uses.helper.make({ texts: 1 })`,
    422,
    'VALIDATION_FAILED',
  ),
  refuses(
    'a service that refuses undoes the whole',
    `async (ctx) => { await ctx.entities.note.create({ text: 'before' }); await ctx.uses.helper.make({ text: 'fail after' }) }`,
    409,
    'HELPER_SHUT',
  ),
  refuses(
    'a service that throws, and its caller that catches it, undo the whole',
    `async (ctx) => { await ctx.entities.note.create({ text: 'before' }); await ctx.uses.helper.make({ text: 'throw after' }).catch(() => 0) }`,
    502,
    'PLUGIN_FAILED',
  ),
  answers(
    'a hook in a service, which makes a record of its own',
    `async (ctx) => (await ctx.uses.helper.make({ text: 'nest' })).text`,
    'nest',
  ),
  refuses(
    'a hook in a service that refuses',
    `(ctx) => ctx.uses.helper.make({ text: 'bad' })`,
    409,
    'HELPER_SHUT',
  ),
  {
    name: 'a hook refuses a client, with the field',
    steps: [
      {
        path: 'subject/guardeds',
        body: { text: 'bad' },
        status: 409,
        has: { code: 'CLOSED', errors: [{ field: 'text', code: 'CLOSED' }] },
      },
      { path: 'subject/guardeds', body: { text: 'throw' }, status: 502, has: { code: 'PLUGIN_FAILED' } },
      { path: 'subject/guardeds', body: { text: 'good' }, status: 201 },
    ],
  },
  {
    name: 'a hook that calls a service, and one that writes',
    steps: [
      { path: 'subject/guardeds', body: { text: 'service' }, status: 201 },
      { path: 'subject/guardeds', body: { text: 'write' }, status: 201 },
    ],
  },
  {
    name: 'a hook sees an update of the record as it would be',
    steps: [
      { path: 'subject/guardeds', body: { text: 'fine' }, status: 201 },
      { method: 'PATCH', path: at(0, (id) => `subject/guardeds/${id}`), body: { text: 'bad' }, status: 409 },
    ],
  },
  {
    name: 'hooks that call themselves end at the depth of calls',
    steps: [
      { path: 'subject/guardeds', body: { text: 'loop' }, status: 502, has: { code: 'LIMIT_EXCEEDED' } },
    ],
  },
  refuses(
    'a hook refuses the plugin itself',
    `(ctx) => ctx.entities.guarded.create({ text: 'bad' })`,
    409,
    'CLOSED',
  ),
]
