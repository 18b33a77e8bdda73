// The provider, or what came back from it, is not as it must be.

/** `message` is for the person; `cause` for the operator. */
export interface ProviderRefusal extends Error {
  readonly name: 'ProviderRefusal'
}

export const isProviderRefusal = (error: unknown): error is ProviderRefusal =>
  error instanceof Error && error.name === 'ProviderRefusal'

export const providerRefusal = (reason: string, cause?: unknown): ProviderRefusal =>
  Object.assign(new Error(reason, { cause }), { name: 'ProviderRefusal' as const })
