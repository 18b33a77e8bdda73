// Capability: the services of used plugins. A call runs in this invocation's transaction: both commit, or neither.

import type { ForeignServices } from '../use.ts'

export interface ServicesCapability<U> {
  /** By plugin: `await ctx.uses.oms.billFor({ order })`. An optional use is `undefined` for tenants without it. */
  readonly uses: ForeignServices<U>
}
