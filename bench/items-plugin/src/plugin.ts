// The plugin that is measured: an entity of ordinary size, and a route that makes one query.
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
    lookup: {
      method: 'GET',
      path: '/lookup',
      query: { id: t.ref('item') },
      run: (ctx, { id }) => ctx.entities.item.get(id),
    },
  },
})
