// Timers: each ends with the invocation that set it.
import { answers, type Case, exceeds, refuses } from '../case.ts'

export const timerCases: readonly Case[] = [
  answers(
    'timers come in their order, with what they were given',
    `async () => { const order = []; setTimeout((...given) => order.push(given), 800, 'late', 1); setTimeout(() => order.push('soon'), 300); setImmediate((a) => order.push(a), 'at once'); await after(1000); return order }`,
    ['at once', 'soon', ['late', 1]],
  ),
  answers('a timer answers a promise', `() => after(3, 'waited')`, 'waited'),
  answers(
    'a timer that is cleared does not come',
    `async () => { const seen = []; const never = [setTimeout(() => seen.push(1), 5), setInterval(() => seen.push(2), 5), setImmediate(() => seen.push(3))]; clearTimeout(never[0]); clearInterval(never[1]); clearImmediate(never[2]); clearTimeout(undefined); clearTimeout(77); await after(30); return seen }`,
    [],
  ),
  answers(
    'an interval comes until it is cleared',
    `() => new Promise((done) => { let n = 0; const every = setInterval(() => { n += 1; if (n === 3) { clearInterval(every); done(n) } }, 2) })`,
    3,
  ),
  answers(
    'a timer may log and call the kernel',
    `(ctx) => new Promise((done) => { setTimeout(async () => { console.log('in a timer'); done((await ctx.entities.note.create({ text: 'late' })).text) }, 2) })`,
    'late',
  ),
  refuses(
    'a timer that throws',
    `async () => { setTimeout(() => { throw new Error('in a timer') }, 2); await after(500) }`,
    502,
    'PLUGIN_FAILED',
  ),
  refuses(
    'a timer that leaves a rejection behind',
    `async () => { setTimeout(async () => { throw new Error('in a timer') }, 2); await after(500) }`,
    502,
    'PLUGIN_FAILED',
  ),
  refuses(
    'a refusal from a timer',
    `() => new Promise((_, no) => { setTimeout(() => { try { fail('CLOSED', { text: 'x' }) } catch (error) { no(error) } }, 2) })`,
    409,
    'CLOSED',
  ),
  {
    name: 'timers end with the invocation that set them',
    run: `async (ctx, { text }) => { if (text === 'set') { setTimeout(() => kept.set('late', 1), 20); setInterval(() => kept.set('often', 1), 10); return 'set' } await after(80); return [...kept.keys()] }`,
    steps: [
      { body: { text: 'set' }, status: 200, has: { answer: 'set' } },
      { body: { text: 'look' }, status: 200, has: { answer: [] } },
    ],
  },
  {
    name: 'timers of a handler that failed come no more',
    run: `async (ctx, { text }) => { if (text === 'set') { setTimeout(() => kept.set('late', 1), 20); fail('CLOSED', { text }) } await after(80); return [...kept.keys()] }`,
    steps: [
      { body: { text: 'set' }, status: 409, has: { code: 'CLOSED' } },
      { body: { text: 'look' }, status: 200, has: { answer: [] } },
    ],
  },
  {
    name: 'timers of two requests at once are each their own',
    run: `async (ctx, { n }) => { const seen = []; for (let m = 0; m < 5; m += 1) { seen.push(await after(1 + (m + n) % 3, n * 10 + m)); console.log('round ' + m) } return seen }`,
    steps: [
      [1, 2, 3].map((n) => ({
        body: { n },
        status: 200,
        has: { answer: [0, 1, 2, 3, 4].map((m) => n * 10 + m) },
      })),
    ],
  },
  refuses('a timer without a function', `() => setTimeout('code')`, 502, 'PLUGIN_FAILED'),
  exceeds(
    'too many timers at once',
    `() => { for (let n = 0; n < 101; n += 1) setTimeout(() => 0, 1_000); return 1 }`,
    'timers',
  ),
  exceeds(
    'too many timers in all',
    `() => { for (let n = 0; n < 1_001; n += 1) clearTimeout(setTimeout(() => 0, 1_000)); return 1 }`,
    'timers',
  ),
]
