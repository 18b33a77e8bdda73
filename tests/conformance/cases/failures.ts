// How handlers fail: refusals, things thrown, errors of the kernel caught and passed on, limits.
import { answers, type Case, refuses } from '../case.ts'

const cpuIsCounted =
  'the sandbox cuts the CPU off at the limit, in process it is counted when the entry has returned'

export const failureCases: readonly Case[] = [
  refuses(
    'a declared refusal',
    `(ctx, { text }) => fail('CLOSED', { text, n: 3, deep: { no: 1 }, field: 'text' })`,
    409,
    'CLOSED',
    {
      input: { text: 'the day' },
    },
  ),
  refuses('a declared refusal without its data', `() => fail('NOT_YET')`, 422, 'NOT_YET'),
  refuses(
    'a refusal with a code that is not declared',
    `() => fail('NEVER_HEARD', {})`,
    502,
    'PLUGIN_FAILED',
  ),
  refuses(
    'a refusal with data that cannot be written',
    `() => { const a = {}; a.a = a; fail('CLOSED', a) }`,
    502,
    'PLUGIN_FAILED',
  ),
  refuses(
    'a refusal with too much data',
    `() => fail('CLOSED', { text: 'x'.repeat(20_000) })`,
    409,
    'CLOSED',
  ),
  refuses(
    'a refusal after an await',
    `async (ctx) => { await ctx.entities.note.list(); fail('CLOSED', { text: 'late' }) }`,
    409,
    'CLOSED',
  ),
  refuses('an error', `() => { throw new RangeError('secret') }`, 502, 'PLUGIN_FAILED'),
  refuses('a text', `() => { throw 'secret' }`, 502, 'PLUGIN_FAILED'),
  refuses('undefined', `() => { throw undefined }`, 502, 'PLUGIN_FAILED'),
  refuses('null from a promise', `() => Promise.reject(null)`, 502, 'PLUGIN_FAILED'),
  refuses('a symbol', `() => { throw Symbol('secret') }`, 502, 'PLUGIN_FAILED'),
  refuses(
    'an object whose message throws',
    `() => { throw { get message() { throw new Error('secret') } } }`,
    502,
    'PLUGIN_FAILED',
  ),
  refuses(
    'an object that looks like an error of the kernel',
    `() => { throw { name: 'PlinthError', code: 'FORBIDDEN', status: 403, message: 'x' } }`,
    502,
    'PLUGIN_FAILED',
  ),
  refuses(
    'an object that looks like a refusal',
    `() => { throw { name: 'PluginError', code: 'CLOSED', data: {} } }`,
    502,
    'PLUGIN_FAILED',
  ),
  refuses(
    'a stack that overflows',
    `() => { const deep = () => deep() + 1; return deep() }`,
    502,
    'PLUGIN_FAILED',
  ),
  refuses(
    'an error of the kernel that passes',
    `async (ctx) => { await ctx.entities.note.get(absentId) }`,
    404,
    'RECORD_NOT_FOUND',
  ),
  answers(
    'an error of the kernel that is caught',
    `async (ctx) => { try { await ctx.entities.note.get(absentId) } catch (error) { return [error.name, error.code, error.message, error.data, error instanceof Error] } }`,
    ['KernelError', 'RECORD_NOT_FOUND'],
  ),
  refuses(
    'an error of the kernel that is caught and thrown again',
    `async (ctx) => { try { await ctx.entities.note.create({}) } catch (error) { throw error } }`,
    422,
    'VALIDATION_FAILED',
  ),
  refuses(
    'an error of the kernel that was changed is still the kernel’s',
    `async (ctx) => { try { await ctx.entities.note.get(absentId) } catch (error) { error.code = 'CLOSED'; error.name = 'PluginError'; throw error } }`,
    404,
    'RECORD_NOT_FOUND',
  ),
  refuses(
    'an error of the kernel that is wrapped is the plugin’s',
    `async (ctx) => { try { await ctx.entities.note.get(absentId) } catch (cause) { throw new Error('wrapped', { cause }) } }`,
    502,
    'PLUGIN_FAILED',
  ),
  refuses(
    'a second call after the database has failed',
    `async (ctx) => { await ctx.entities.note.create({ text: 'a', parent: absentId }).catch(() => 0); await ctx.sql\`select 1 / \${0}::int as x\`.catch(() => 0); return ctx.entities.note.list() }`,
    422,
    'VALIDATION_FAILED',
    { differs: 'which of the two failures is told depends on what had been sent when the first was heard' },
  ),
  refuses(
    'a call that is not awaited',
    `(ctx) => { void ctx.entities.note.list(); return 1 }`,
    502,
    'PLUGIN_FAILED',
  ),
  refuses(
    'a write that is not awaited is not kept',
    `async (ctx) => { await ctx.entities.note.list(); void ctx.entities.note.create({ text: 'lost' }) }`,
    502,
    'PLUGIN_FAILED',
  ),
  refuses(
    'an event that is not awaited is not told',
    `async (ctx) => { await ctx.entities.note.list(); void ctx.emit('note.made', { note: absentId, text: 'lost' }) }`,
    502,
    'PLUGIN_FAILED',
  ),
  refuses(
    'a service that is not awaited: nothing of it is kept',
    `async (ctx) => { await ctx.entities.note.list(); void ctx.uses.helper.make({ text: 'lost' }); return 1 }`,
    502,
    'PLUGIN_FAILED',
    { differs: 'how far the service comes before it is stopped, as its log tells' },
  ),
  refuses(
    'a call that is made while the answer is written out',
    `async (ctx) => {
      const one = await ctx.entities.note.create({ text: 'one' })
      return { toJSON() { void ctx.entities.note.update(one.id, { text: 'late' }).catch(() => 0); return 'fine' } }
    }`,
    502,
    'PLUGIN_FAILED',
  ),
  refuses(
    'a rejection nobody handles',
    `() => { void Promise.reject(new Error('stray')); return 1 }`,
    502,
    'PLUGIN_FAILED',
  ),
  refuses(
    'a rejection nobody handles, after a call',
    `async (ctx) => { await ctx.entities.note.create({ text: 'x' }); void (async () => { throw new Error('stray') })(); return 1 }`,
    502,
    'PLUGIN_FAILED',
  ),
  refuses(
    'a microtask that throws',
    `async () => { queueMicrotask(() => { throw new Error('stray') }); return 1 }`,
    502,
    'PLUGIN_FAILED',
  ),
  answers(
    'a rejection that is handled in time',
    `async () => { const late = Promise.reject(new Error('x')); await null; return late.catch(() => 'handled') }`,
    'handled',
  ),
  refuses(
    'too many calls',
    `async (ctx) => { for (let n = 0; n < 501; n += 1) await ctx.emit('note.made', { note: absentId, text: 'x' }) }`,
    502,
    'LIMIT_EXCEEDED',
  ),
  refuses(
    'too many calls, each caught',
    `async (ctx) => { for (let n = 0; n < 520; n += 1) try { await ctx.entities.note.get('x') } catch {} return 'went on' }`,
    502,
    'LIMIT_EXCEEDED',
  ),
  refuses(
    'too many calls at once',
    `(ctx) => Promise.all(Array.from({ length: 51 }, () => ctx.entities.note.list()))`,
    502,
    'LIMIT_EXCEEDED',
  ),
  answers(
    'as many calls at once as may be',
    `async (ctx) => (await Promise.all(Array.from({ length: 50 }, () => ctx.entities.note.list()))).length`,
    50,
  ),
  refuses(
    'too long an argument',
    `(ctx) => ctx.log.info('x') ?? ctx.entities.note.create({ text: 'é'.repeat(140_000) })`,
    502,
    'LIMIT_EXCEEDED',
  ),
  refuses(
    'too long an argument, caught',
    `async (ctx) => { try { await ctx.entities.note.create({ text: 'x'.repeat(300_000) }) } catch {} return 'went on' }`,
    502,
    'LIMIT_EXCEEDED',
  ),
  refuses('too long an answer', `() => 'x'.repeat(1_100_000)`, 502, 'LIMIT_EXCEEDED'),
  refuses(
    'an argument that cannot be written',
    `(ctx) => ctx.entities.note.create({ text: 1n })`,
    502,
    'PLUGIN_FAILED',
  ),
  // By work and not by the clock: on a machine that is busy, a second may hold little CPU.
  refuses(
    'too much CPU in one stretch',
    `() => { let sum = 0; for (let n = 0; n < 400_000_000; n += 1) sum = (sum * 31 + n) | 0; return sum }`,
    502,
    'LIMIT_EXCEEDED',
    {
      differs: cpuIsCounted,
    },
  ),
  refuses('an endless loop', `() => { for (;;); }`, 502, 'LIMIT_EXCEEDED', {
    only: { runtime: 'sandbox', why: 'in process nothing can end it: the kernel would stand still' },
  }),
  refuses(
    'a full heap',
    `() => { const all = []; for (;;) all.push(new Array(100_000).fill(all.length)) }`,
    502,
    'LIMIT_EXCEEDED',
    {
      only: { runtime: 'sandbox', why: 'in process the heap is the kernel’s: it would end' },
    },
  ),
]
