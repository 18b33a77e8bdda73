// The chart of accounts.

import { entity, t } from '@plinth/sdk'

export const account = entity('Account', {
  code: t.text().range(1, 20).unique(),
  name: t.text().range(1, 200),
  type: t.choice(['asset', 'liability', 'equity', 'income', 'expense']),
  // Nothing more is posted to an inactive account; what was posted stays.
  active: t.bool().default(true),
})
