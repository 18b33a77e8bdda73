// What ctx offers beside records: who and when, settings, events, the log, modules that may be missing.
import { answers, type Case, refuses } from '../case.ts'

export const contextCases: readonly Case[] = [
  answers(
    'the tenant',
    `(ctx) => [typeof ctx.tenant.id, ctx.tenant.currency, ctx.tenant.locale, ctx.tenant.timeZone, Object.keys(ctx.tenant)]`,
    ['string', 'USD', 'en', 'UTC', ['id', 'currency', 'locale', 'timeZone']],
  ),
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
  answers(
    'what was not asked for is not there',
    `async (ctx) => [typeof ctx.http, typeof ctx.secrets, typeof ctx.sql, (await ctx.uses.helper.powers()).powers]`,
    ['object', 'object', 'function', ['undefined', 'undefined', 'function']],
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
  answers(
    'a helper’s globals are its own',
    `async (ctx) => [(await ctx.uses.helper.count()).calls, (await ctx.uses.helper.count()).calls, count]`,
    [1, 2, 0],
  ),
]
