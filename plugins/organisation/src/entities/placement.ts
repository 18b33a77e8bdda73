// Where a unit hangs in the tree, from one day to another. A unit without a placement on a day is a root on that day.

import { entity, t } from '@plinth/sdk'

export const placement = entity(
  'Placement of a unit',
  { unit: t.ref('unit'), parent: t.ref('unit'), validFrom: t.date(), validTo: t.date().optional() },
  { path: 'placements', indexes: [['unit', 'validFrom'], ['parent']] },
)
