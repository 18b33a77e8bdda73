// The plugin that is measured: an entity of ordinary size, and a route that makes as many queries as it is told.
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
  },
})
