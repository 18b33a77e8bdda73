// To which position a position reports, from one day to another.

import { entity, t } from '@plinth/sdk'

export const reportingLine = entity(
  'Reporting line',
  {
    position: t.ref('position'),
    manager: t.ref('position'),
    validFrom: t.date(),
    validTo: t.date().optional(),
  },
  { path: 'reporting-lines', indexes: [['position', 'validFrom'], ['manager']] },
)
