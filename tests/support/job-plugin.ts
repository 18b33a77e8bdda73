// A plugin whose jobs do what a test says: note something, take their time, fail some times, enqueue others.

export const jobPlugin = ({ schedule = '30 2 * * *', version = '' } = {}): string => `
import { definePlugin, entity, fail, t } from '@plinth/sdk'

const mark = entity('Mark', { text: t.text(), n: t.int().default(0) }, { path: 'marks' })
const after = (ms) => new Promise((done) => setTimeout(done, ms))
const marked = (ctx, text, n = 0) => ctx.entities.mark.create({ text, n })

export default definePlugin({
  name: 'works', title: 'Works${version}',
  entities: { mark },
  events: { 'mark.told': { mark: t.ref('mark') } },
  errors: { NOT_NOW: { status: 409, message: 'Not now, {text}.' } },
  jobs: {
    note: { title: 'Note something', input: { text: t.text().range(1, 100), n: t.int().default(0) },
      run: async (ctx, { text, n }) => {
        const { id } = await marked(ctx, text, n)
        return { id, job: ctx.job.id, attempt: ctx.job.attempt, by: ctx.user.id, may: ctx.user.can('mark.delete') }
      } },
    slow: { input: { text: t.text(), steps: t.int(), ms: t.int().default(50) }, attempts: 2,
      run: async (ctx, { text, steps, ms }) => {
        await marked(ctx, text)
        for (let step = 1; step <= steps; step += 1) {
          await after(ms)
          await ctx.entities.mark.list({ text: 'nothing' })
          await ctx.job.progress(step / steps, 'step ' + step)
        }
        return { steps }
      } },
    stubborn: { input: { text: t.text() }, attempts: 2,
      run: async (ctx, { text }) => {
        await marked(ctx, text)
        for (let step = 0; step < 200; step += 1) { await after(50); await ctx.job.progress(0.5).catch(() => null) }
      } },
    flaky: { input: { text: t.text(), fails: t.int() }, attempts: 3,
      run: async (ctx, { text, fails }) => {
        await marked(ctx, text, ctx.job.attempt)
        if (ctx.job.attempt <= fails) throw new Error('attempt ' + ctx.job.attempt + ' of ' + text)
        return { attempt: ctx.job.attempt }
      } },
    refusing: { attempts: 1, run: () => fail('NOT_NOW', { text: 'friend' }) },
    capped: { input: { text: t.text() }, rate: { max: 2, perSeconds: 3 }, run: (ctx, { text }) => marked(ctx, text) },
    chain: { input: { left: t.int() }, run: async (ctx, { left }) => {
      await marked(ctx, 'chain', left)
      if (left > 0) await ctx.enqueue('chain', { left: left - 1 })
    } },
    large: { attempts: 1, run: async (ctx) => { await marked(ctx, 'large'); return 'x'.repeat(70_000) } },
    blob: { input: { parts: t.lines({ text: t.text() }) }, run: () => null },
    many: { input: { count: t.int() }, attempts: 1, run: async (ctx, { count }) => {
      await marked(ctx, 'many')
      for (let n = 0; n < count; n += 1) await ctx.enqueue('note', { text: 'of many' }, { delayMs: 3_600_000 })
    } },
    nightly: { schedule: '${schedule}', input: { text: t.text().default('by the clock') },
      run: (ctx, { text }) => marked(ctx, text) },
  },
  routes: {
    enqueue: { method: 'POST', path: '/enqueue',
      input: { job: t.text(), input: t.text().default('{}'), options: t.text().default('{}'), then: t.text().optional() },
      run: async (ctx, { job, input, options, then }) => {
        await marked(ctx, 'asked')
        const made = await ctx.enqueue(job, JSON.parse(input), JSON.parse(options))
        if (then === 'fail') fail('NOT_NOW', { text: 'after it' })
        if (then === 'throw') throw new Error('after it')
        return made
      } },
    storm: { method: 'POST', path: '/storm', input: { count: t.int() },
      run: async (ctx, { count }) => {
        await marked(ctx, 'storm')
        for (let n = 0; n < count; n += 1) await ctx.enqueue('note', { text: 'x' }, { delayMs: 3_600_000 })
      } },
    outside: { method: 'GET', path: '/outside', run: (ctx) => ({ job: typeof ctx.job }) },
  },
  roles: { member: { can: ['mark.read', 'mark.create', 'route.*'] } },
})`
