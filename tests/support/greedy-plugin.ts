// A plugin that uses as much of each limit as it is told to.

export const greedyPlugin = `
import { definePlugin, entity, t } from '@plinth/sdk'

const note = entity('Note', { text: t.text(), lines: t.lines({ text: t.text() }) }, { path: 'notes' })
const nested = entity('Nested', { left: t.int() }, { path: 'nested' })
const spin = (ms) => { const end = Date.now() + ms; while (Date.now() < end); }
const lines = (count) => Array.from({ length: count }, () => ({ text: 'x' }))
const big = 'x'.repeat(100_000)
const times = async (n, run) => { for (let i = 0; i < n; i++) await run() }
const ways = {
  queries: (ctx, n) => times(n, () => ctx.entities.note.list({ text: 'nothing' })),
  rowsWritten: (ctx, n) => times(n, () => ctx.entities.note.create({ text: 'a', lines: lines(1000) })),
  rowsRead: (ctx, n) => times(n, () => ctx.sql\`select a.text from note_lines as a cross join note_lines as b limit 20000\`),
  events: (ctx, n) => times(n, () => ctx.emit('note.told', { text: 'a' })),
  jobs: (ctx, n) => times(n, () => ctx.enqueue('idle', {}, { delayMs: 3_600_000 })),
  bytesIn: (ctx, n) => times(n, () => ctx.emit('note.told', { text: big + big })),
  bytesOut: (ctx, n) => times(n, () => ctx.sql\`select \${big}::text as text from note_lines as a limit 10\`),
  cpu: (ctx, n) => times(n, async () => { spin(50); await ctx.entities.note.list({ text: 'nothing' }) }),
  never: () => new Promise(() => {}),
  loop: () => { for (;;); },
  calls: (ctx, n) => times(n, () => ctx.entities.note.get('no id').catch(() => null)),
  callDepth: (ctx, n) => ctx.entities.nested.create({ left: n }),
  result: async (ctx, n) => big.repeat(n),
}
const input = { way: t.text(), times: t.int() }
export default definePlugin({
  name: 'greedy',
  title: 'Greedy',
  entities: { note, nested },
  needs: { sql: 'read' },
  jobs: { idle: { run: () => {} } },
  events: { 'note.told': { text: t.text().range(0, 240_000) } },
  hooks: {
    nested: {
      validate: async (ctx, { left }) => { if (left > 0) await ctx.entities.nested.create({ left: left - 1 }) },
    },
  },
  services: {
    use: { input, run: async (ctx, { way, times }) => { await ways[way](ctx, times) } },
  },
  routes: {
    use: {
      method: 'POST', path: '/use', input,
      async run(ctx, { way, times }) {
        await ctx.entities.note.create({ text: 'before', lines: lines(1000) })
        const got = await ways[way](ctx, times)
        return way === 'result' ? got : {}
      },
    },
    catch: {
      method: 'POST', path: '/catch', input,
      async run(ctx, { way, times }) {
        await ctx.entities.note.create({ text: 'before', lines: lines(1000) })
        await ways[way](ctx, times).catch(() => null)
        return 'caught'
      },
    },
    logs: {
      method: 'POST', path: '/logs',
      run: (ctx) => { for (let i = 0; i < 300; i++) ctx.log.info('a line') },
    },
  },
})
`

/** Uses some itself, lets the other use more, and catches whatever comes of it. */
export const accomplicePlugin = `
import { definePlugin, entity, t, use } from '@plinth/sdk'

const trace = entity('Trace', { text: t.text() }, { path: 'traces' })
const input = { way: t.text(), own: t.int(), times: t.int(), rounds: t.int() }
export default definePlugin({
  name: 'accomplice',
  title: 'Accomplice',
  entities: { trace },
  uses: { greedy: use('^1') },
  routes: {
    share: {
      method: 'POST', path: '/share', input,
      async run(ctx, { way, own, times, rounds }) {
        await ctx.entities.trace.create({ text: 'before' })
        for (let i = 0; i < own; i++) await ctx.entities.trace.list({ text: 'nothing' })
        for (let i = 0; i < rounds; i++) await ctx.uses.greedy.use({ way, times }).catch(() => null)
        await ctx.entities.trace.create({ text: 'after' }).catch(() => null)
        return 'caught'
      },
    },
  },
})
`
