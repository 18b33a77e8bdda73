// Capability: how this tenant has set the plugin up.

import type { Fields, Out } from '../fields/field.ts'

export interface SettingsCapability<S extends Fields> {
  /** The tenant's settings; those with a default are always there. Read at the start of the invocation. */
  readonly settings: Out<S>
}
