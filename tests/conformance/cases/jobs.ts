// ctx.enqueue, and what of a job is not there outside one. Jobs that run are in tests/journeys/jobs.test.ts.
import { answers, type Case, refuses } from '../case.ts'

const isId = (call: string) => `async (ctx) => /^[0-9]+$/.test((await ${call}).id)`

export const jobCases: readonly Case[] = [
  answers('a job is enqueued', isId(`ctx.enqueue('copy', { text: 'a' })`), true),
  answers('a job without input is enqueued', isId(`ctx.enqueue('tidy')`), true),
  answers(
    'a job with all options',
    isId(`ctx.enqueue('copy', { text: 'a', n: 2 }, { delayMs: 7_200_000, priority: -3, unique: 'a' })`),
    true,
  ),
  answers(
    'a job at an instant',
    isId(`ctx.enqueue('tidy', {}, { at: new Date(Date.now() + 7_200_000) })`),
    true,
  ),
  answers(
    'of two with one unique key there is one',
    `async (ctx) => {
      const first = await ctx.enqueue('tidy', {}, { unique: 'k', delayMs: 7_200_000 })
      const second = await ctx.enqueue('tidy', {}, { unique: 'k' })
      const third = await ctx.enqueue('copy', { text: 'a' }, { unique: 'k' })
      return [first.id === second.id, first.id === third.id]
    }`,
    [true, false],
  ),
  refuses(
    'a job of a handler that fails is not enqueued',
    `async (ctx) => { await ctx.enqueue('tidy'); fail('CLOSED', {}) }`,
    409,
    'CLOSED',
  ),
  refuses('a job that is not declared', `(ctx) => ctx.enqueue('tidi')`, 502, 'CAPABILITY_DENIED'),
  refuses(
    'a job with the name of a method of objects',
    `(ctx) => ctx.enqueue('toString')`,
    502,
    'CAPABILITY_DENIED',
  ),
  refuses(
    'a job with a wrong input',
    `(ctx) => ctx.enqueue('copy', { text: '', n: 'x' })`,
    422,
    'VALIDATION_FAILED',
  ),
  refuses('a job without the input it requires', `(ctx) => ctx.enqueue('copy')`, 422, 'VALIDATION_FAILED'),
  refuses(
    'a job with an input it has not',
    `(ctx) => ctx.enqueue('tidy', { n: 1 })`,
    422,
    'VALIDATION_FAILED',
  ),
  refuses(
    'an option that is none',
    `(ctx) => ctx.enqueue('tidy', {}, { delay: 1 })`,
    502,
    'CAPABILITY_DENIED',
  ),
  refuses(
    'a delay that is none',
    `(ctx) => ctx.enqueue('tidy', {}, { delayMs: -1 })`,
    502,
    'CAPABILITY_DENIED',
  ),
  refuses(
    'a moment that is none',
    `(ctx) => ctx.enqueue('tidy', {}, { at: 'soon' })`,
    422,
    'VALIDATION_FAILED',
  ),
  refuses(
    'a moment and a delay',
    `(ctx) => ctx.enqueue('tidy', {}, { at: '2026-03-04T05:06:07Z', delayMs: 1 })`,
    422,
    'VALIDATION_FAILED',
  ),
  answers('there is no job outside one', `(ctx) => typeof ctx.job`, 'undefined'),
  refuses(
    'a fetch after a job was enqueued, which would be undone',
    `async (ctx) => { await ctx.enqueue('tidy'); await ctx.http.fetch(ok) }`,
    502,
    'FETCH_REFUSED',
  ),
]
