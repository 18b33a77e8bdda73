// What is bought and sold, by its number on the shelf.

import { entity, t } from '@plinth/sdk'

export const item = entity('Item', {
  sku: t.text().range(1, 40).unique(),
  name: t.text().range(1, 200),
  unit: t.text().range(1, 20).default('piece'),
  // What an order line costs that names no price of its own.
  price: t.money(),
  // Nothing more is received or ordered of an inactive item; what was ordered still ships.
  active: t.bool().default(true),
})
