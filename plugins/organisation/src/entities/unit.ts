// What the business consists of. One entity for all kinds: they share one tree, and a unit that becomes another kind
// keeps its people and its history.

import { entity, t } from '@plinth/sdk'

export const unitKinds = ['legalEntity', 'branch', 'department', 'costCentre', 'profitCentre'] as const

export const unit = entity(
  'Organisation unit',
  {
    code: t.text().range(1, 30).unique(),
    name: t.text().range(1, 200),
    kind: t.choice(unitKinds),
    // First and last day of its life, both included; without a last day it goes on.
    validFrom: t.date(),
    validTo: t.date().optional(),
    // Of a legal entity: ISO 3166 and the number in its register.
    country: t.text().range(2, 2).optional(),
    registration: t.text().range(1, 60).optional(),
  },
  { path: 'units', indexes: [['kind', 'code']] },
)
