// The chart of accounts.

import { entity, t } from '@plinth/sdk'

export const accountTypes = ['asset', 'liability', 'equity', 'income', 'expense'] as const

export const account = entity('Account', {
  code: t.text().range(1, 20).unique(),
  name: t.text().range(1, 200),
  // Stays what it is once something was posted: reports of the past would say something else.
  type: t.choice(accountTypes),
  // Nothing more is posted to an inactive account; what was posted stays.
  active: t.bool().default(true),
})
