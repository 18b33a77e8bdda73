// Capability: lines in the operator's log, marked with tenant, plugin and request by the kernel.

type Write = (message: string, data?: object) => void

export interface LogCapability {
  /** Never log what is personal or secret: operators read this, and they are not the tenant. */
  readonly log: { readonly debug: Write; readonly info: Write; readonly warn: Write; readonly error: Write }
}
