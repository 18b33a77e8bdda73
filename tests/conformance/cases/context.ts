// What ctx offers beside records: who and when, settings, sql, events, the log, modules that may be missing.
import { answers, type Case, refuses } from '../case.ts'

export const contextCases: readonly Case[] = [
  answers('the tenant', `(ctx) => [typeof ctx.tenant.id, ctx.tenant.currency, Object.keys(ctx.tenant)]`, [
    'string',
    'USD',
    ['id', 'currency'],
  ]),
  answers(
    'what the owner may do',
    `(ctx) => ['note.read', 'note.*', '*', 'route.read', 'never.heard'].map((one) => ctx.user.can(one))`,
    undefined,
  ),
  answers(
    'what a member may do',
    `(ctx) => ['note.read', 'note.delete', 'note.*', '*', 'guarded.read', 'note.twin'].map((one) => ctx.user.can(one))`,
    [true, false, false, false, false, false],
    { as: 'member' },
  ),
  answers('today is a day', `(ctx) => /^\\d{4}-\\d\\d-\\d\\d$/.test(ctx.today)`, true),
  answers('what is in ctx', `(ctx) => Object.keys(ctx)`, undefined),
  answers('settings with their defaults', `(ctx) => ctx.settings`, { days: 30, bag: 'x' }),
  {
    name: 'settings as the tenant has set them',
    run: '(ctx) => ctx.settings',
    steps: [
      { method: 'PATCH', path: 'tenant/settings/subject', body: { days: 7, label: 'é' }, status: 200 },
      { status: 200, has: { answer: { days: 7, label: 'é', bag: 'x' } } },
    ],
  },
  answers(
    'a module that is not installed is undefined',
    `(ctx) => [typeof ctx.uses.absent, typeof ctx.uses.helper]`,
    ['undefined', 'object'],
  ),
  answers(
    'a module can be awaited and printed',
    `async (ctx) => JSON.stringify(await ctx.uses.helper) ?? 'none'`,
    '{}',
  ),
  answers('what was not asked for is not there', `(ctx) => [typeof ctx.http, typeof ctx.sql]`, [
    'undefined',
    'function',
  ]),
  answers(
    'sql gives rows with their types',
    `async (ctx) => { await five(ctx); return ctx.sql\`select note.n, note.amount, note.on, note.done from note where note.n > \${2} order by note.n\` }`,
    [{ n: 3, amount: '3.5', on: '2026-01-04', done: false }, { n: 4 }, { n: 5 }],
  ),
  answers(
    'sql aggregates, with a list as a parameter',
    `async (ctx) => { await five(ctx); return ctx.sql\`select note.kind, count(*) as many, sum(note.amount) as total from note where note.kind = any(\${['a', 'b']}) group by note.kind order by note.kind\` }`,
    [{ kind: 'a', total: '10.5' }, { kind: 'b' }],
  ),
  answers(
    'a value in sql is a value',
    `async (ctx) => ctx.sql\`select \${"x'; drop table note; --"}::text as said\``,
    [{ said: "x'; drop table note; --" }],
  ),
  refuses('sql that writes', '(ctx) => ctx.sql`delete from note`', 502, 'SQL_REFUSED'),
  refuses('sql of another module', '(ctx) => ctx.sql`select * from plugin_helper.thing`', 502, 'SQL_REFUSED'),
  refuses(
    'sql that fails in the database',
    `(ctx) => ctx.sql\`select 1 / \${0}::int as x\``,
    502,
    'SQL_REFUSED',
  ),
  answers(
    'an event with its data',
    `async (ctx) => { const { id } = await ctx.entities.note.create({ text: 'a' }); await ctx.emit('note.made', { note: id, text: 'a' }); return 1 }`,
    1,
  ),
  answers(
    'events in their order',
    `async (ctx) => { for (const text of ['b', 'a', 'c']) await ctx.emit('note.made', { note: absentId, text }) }`,
    undefined,
  ),
  refuses('an event that is not declared', `(ctx) => ctx.emit('note.unmade', {})`, 502, 'CAPABILITY_DENIED'),
  refuses('an event without its data', `(ctx) => ctx.emit('note.made')`, 422, 'VALIDATION_FAILED'),
  refuses(
    'an event of a handler that fails is not told',
    `async (ctx) => { await ctx.emit('note.made', { note: absentId, text: 'x' }); fail('CLOSED', {}) }`,
    409,
    'CLOSED',
  ),
  answers(
    'lines in the log, with level and data',
    `(ctx) => { for (const level of ['debug', 'info', 'warn', 'error']) ctx.log[level]('line ' + level, { level, deep: { a: [1, null] } }) }`,
    undefined,
  ),
  answers(
    'lines in the log of any kind',
    `(ctx) => { ctx.log.info(7); ctx.log.info(undefined); ctx.log.info('u', undefined); ctx.log.info('long ' + 'x'.repeat(9000), { long: 'y'.repeat(9000) }); ctx.log.info('é 😀 \\u0000') }`,
    undefined,
  ),
  answers(
    'no more than 100 lines',
    `(ctx) => { for (let n = 0; n < 150; n += 1) ctx.log.info('line ' + n) }`,
    undefined,
  ),
  answers(
    'console writes to the log',
    `() => { console.log('said', { a: 1 }, [2], undefined); console.warn('é'); console.error(new Error('no').message) }`,
    undefined,
  ),
  answers(
    'a line before and after a call',
    `async (ctx) => { console.log('before'); await ctx.entities.note.list(); console.log('after'); await ctx.uses.helper.make({ text: 'x' }); console.log('last') }`,
    undefined,
  ),
  refuses(
    'jobs and outside hosts that are not offered reject',
    `(ctx) => ctx.enqueue('x')`,
    502,
    'PLUGIN_FAILED',
  ),
  answers(
    'a helper’s globals are its own',
    `async (ctx) => [(await ctx.uses.helper.count()).calls, (await ctx.uses.helper.count()).calls, count]`,
    [1, 2, 0],
  ),
  answers(
    'the globals of the language, and no others',
    `() => Object.getOwnPropertyNames(globalThis).filter((name) => name !== '__plinthPlugin').sort()`,
    undefined,
  ),
  answers(
    'the language as it is',
    `() => [typeof process, typeof require, typeof setTimeout, typeof fetch, typeof WebAssembly, typeof Intl, typeof Atomics, typeof ArrayBuffer.prototype.resize, Error.stackTraceLimit, typeof Function('return this')().process]`,
    undefined,
  ),
  answers(
    'structuredClone and queueMicrotask',
    `async () => { const map = structuredClone(new Map([['a', new Date(0)]])); const order = []; await new Promise((done) => { queueMicrotask(() => { order.push('b'); done() }); order.push('a') }); return [map.get('a').getTime(), map instanceof Map, order] }`,
    [0, true, ['a', 'b']],
  ),
]
