// A chair, whoever sits on it: approvals and reports go by position, so they survive who comes and goes.

import { entity, t } from '@plinth/sdk'

export const position = entity(
  'Position',
  {
    code: t.text().range(1, 30).unique(),
    title: t.text().range(1, 200),
    unit: t.ref('unit'),
    // How many people may hold it at once.
    seats: t.int().range(1, 1000).default(1),
    validFrom: t.date(),
    validTo: t.date().optional(),
  },
  { path: 'positions', indexes: [['unit', 'code']] },
)
