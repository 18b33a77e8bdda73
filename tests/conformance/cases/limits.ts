// The limits of a request, by the name they are told with: see docs/limits.md. Those of one call are in failures.ts.
import { type Case, exceeds } from '../case.ts'

const times = (n: number, what: string) => `for (let n = 0; n < ${n}; n += 1) ${what};`
const lines = (count: number) => `Array.from({ length: ${count} }, (_, n) => ({ what: 'x', count: n }))`

export const limitCases: readonly Case[] = [
  exceeds('too many queries', `async (ctx) => { ${times(251, 'await ctx.entities.tag.list()')} }`, 'queries'),
  exceeds(
    'too many queries, each caught, keep nothing',
    `async (ctx) => { ${times(270, "await ctx.entities.tag.create({ code: 'c' + n }).catch(() => 0)")} return 'went on' }`,
    'queries',
  ),
  exceeds(
    'too many rows written',
    `async (ctx) => { ${times(11, `await ctx.entities.note.create({ text: 'a', lines: ${lines(1_000)} })`)} }`,
    'rowsWritten',
  ),
  exceeds(
    'too many rows read',
    `async (ctx) => { await ctx.entities.note.create({ text: 'a', lines: ${lines(200)} }); ${times(4, 'await ctx.sql`select a.what from note_lines as a cross join note_lines as b limit 20000`')} }`,
    'rowsRead',
  ),
  exceeds(
    'too many events',
    `async (ctx) => { ${times(51, "await ctx.emit('note.made', { note: absentId, text: 'x' })")} }`,
    'events',
  ),
  exceeds(
    'too many bytes in',
    `async (ctx) => { const big = 'x'.repeat(250_000); ${times(40, `await ctx.sql\`select tag.code from tag where tag.code = \${big}\``)} }`,
    'bytesIn',
  ),
  exceeds(
    'too many bytes out',
    `async (ctx) => { const big = 'x'.repeat(100_000); await ctx.entities.note.create({ text: 'a', lines: ${lines(10)} }); ${times(10, `await ctx.sql\`select \${big}::text as text from note_lines limit 10\``)} }`,
    'bytesOut',
  ),
  exceeds('too many fetches', `async (ctx) => { ${times(11, 'await ctx.http.fetch(ok)')} }`, 'fetches'),
  exceeds(
    'too many fetches, caught',
    `async (ctx) => { ${times(11, 'await ctx.http.fetch(ok).catch(() => 0)')} return 'went on' }`,
    'fetches',
  ),
  exceeds(
    'limits are those of the request, over all modules',
    `async (ctx) => { ${times(170, 'await ctx.entities.tag.list()')} ${times(90, 'await ctx.uses.helper.list({})')} }`,
    'queries',
  ),
  {
    name: 'what a handler held that hit a limit is let go',
    run: `async (ctx, { n }) => { const held = new Array(2_000_000).fill(n); const all = Array.from({ length: 51 }, () => ctx.entities.tag.list()); setTimeout(() => held, 1_000); await Promise.all(all); return held.length }`,
    steps: Array.from({ length: 10 }, (_, n) => ({
      body: { n },
      status: 502,
      has: { code: 'LIMIT_EXCEEDED', limit: 'callsInFlight' },
    })),
  },
]
