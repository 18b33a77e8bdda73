// The plugin that is measured: an entity of ordinary size, a route that makes as many queries as it is told,
// and one that computes as long as it is told.
import { definePlugin, entity, t } from '@plinth/sdk'

const item = entity('Item', {
  code: t.text().range(1, 40).unique(),
  name: t.text().range(1, 200),
  price: t.money(),
  quantity: t.int(),
  active: t.bool().default(true),
})

export default definePlugin({
  name: 'items',
  title: 'Items',
  entities: { item },
  routes: {
    work: {
      method: 'GET',
      path: '/work',
      query: { id: t.ref('item'), queries: t.int().range(0, 100) },
      async run(ctx, { id, queries }) {
        let found: unknown = { id }
        for (let n = 0; n < queries; n += 1) found = await ctx.entities.item.get(id)
        return found
      },
    },
    spin: {
      method: 'GET',
      path: '/spin',
      query: { ms: t.int().range(0, 200) },
      run(_ctx, { ms }) {
        const end = Date.now() + ms
        while (Date.now() < end);
        return { ms }
      },
    },
  },
})
