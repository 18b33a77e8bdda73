// One record for each tree, which every change of the tree takes before it looks: two changes that are harmless apart
// and a circle together then come one after the other.

import { entity, t } from '@plinth/sdk'

export const tree = entity('Tree', { name: t.choice(['units', 'positions']).unique() }, { path: 'trees' })
