// Two plugins that speak through events: `shop` tells of orders as it is told to, and `books` writes down what it heard,
// or fails as the event says.
import { makeInstallation, type PluginPackage } from './installation.ts'

export const shopSource = `
import { definePlugin, entity, fail, t } from '@plinth/sdk'
const order = entity('Order', { name: t.text().range(1, 200) })
export default definePlugin({
  name: 'shop', title: 'Shop',
  entities: { order },
  events: {
    'order.told': { order: t.ref('order'), say: t.text().range(0, 200), number: t.int() },
    'day.ended': { say: t.text().range(0, 200) },
  },
  errors: { NOT_LIKE_THIS: { status: 409, message: 'Not like this.' } },
  routes: {
    tell: {
      method: 'POST', path: '/tell',
      input: { order: t.ref('order'), say: t.text().range(0, 200), number: t.int(), count: t.int().default(1) },
      async run(ctx, { order, say, number, count }) {
        for (let at = 0; at < count; at += 1) await ctx.emit('order.told', { order, say, number: number + at })
        if (say === 'rolled back') fail('NOT_LIKE_THIS')
        return {}
      },
    },
    tellMany: {
      method: 'POST', path: '/tell-many', input: { say: t.text().range(0, 200), count: t.int() },
      async run(ctx, { say, count }) {
        for (let at = 0; at < count; at += 1) await ctx.emit('day.ended', { say: say + at })
        return {}
      },
    },
  },
})
`

/** Of what it missed it wants the orders, and not the days. */
const booksSource = `
import { definePlugin, entity, t, use } from '@plinth/sdk'
const entry = entity('Entry', { order: t.text().range(0, 200), say: t.text().range(0, 200), number: t.int(), by: t.text().range(0, 200) })
const write = async (ctx, { order, say, number }) => {
  await ctx.entities.entry.create({ order: order ?? '', say, number: number ?? 0, by: ctx.user.id })
  if (say === 'echo') await ctx.emit('entry.made', { say })
  if (say === 'fail') throw new Error('the ink is dry')
  if (say === 'loop') for (;;);
  if (say === 'crash') { const all = []; for (;;) all.push(new Uint8Array(50_000_000).fill(1)) }
  if (say.startsWith('wait')) await new Promise((resolve) => setTimeout(resolve, Number(say.slice(4))))
}
export default definePlugin({
  name: 'books', title: 'Books',
  entities: { entry },
  events: { 'entry.made': { say: t.text().range(0, 200) } },
  uses: { shop: use('^1.0.0') },
  on: { 'shop.order.told': write, 'shop.day.ended': { whileDisabled: 'skip', run: write } },
})
`

export const queueInstallation = (
  t: { teardown(work: () => Promise<unknown>): void },
  more: Readonly<Record<string, PluginPackage>> = {},
): Promise<string> =>
  makeInstallation(t, {
    '@test/shop': { source: shopSource },
    '@test/books': { source: booksSource },
    ...more,
  })
