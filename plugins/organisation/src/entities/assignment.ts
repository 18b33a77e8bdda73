// Who holds a position, from one day to another.

import { entity, t } from '@plinth/sdk'

export const assignment = entity(
  'Assignment',
  {
    position: t.ref('position'),
    // Id of a person, as the members of the tenant have it.
    person: t.text().range(1, 64),
    validFrom: t.date(),
    validTo: t.date().optional(),
  },
  {
    path: 'assignments',
    indexes: [
      ['position', 'validFrom'],
      ['person', 'validFrom'],
    ],
  },
)
