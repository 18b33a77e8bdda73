// Where team and unit of a rule come from. The kernel knows neither; a module that keeps the organisation says, and
// kernel.ts hands its answer in here. Without one a person's team is himself, and no unit is his.

export interface Scopes {
  /** Ids of the people whose records are my team's. Whether it names me or not, I am in it. */
  readonly team: readonly string[]
  /** Ids of my organisation units and of all below them. */
  readonly units: readonly string[]
}

/**
 * Asked for people whose rules speak of team or unit, and kept until midnight UTC. What it answers from has changed:
 * announce `{ kind: 'access', id: tenantId }` on the change feed, in the transaction of the change.
 */
export interface ScopeSource {
  scopesOf(tenantId: string, userId: string): Promise<Scopes>
}

export const noScopes: Scopes = Object.freeze({ team: [], units: [] })

/** Where it is asked what somebody holds at all, and not of which records: as if some unit were his. */
export const someScopes: Scopes = Object.freeze({ team: [], units: ['00000000-0000-0000-0000-000000000000'] })

/** Nobody is asked: the answer does not matter. */
export const unasked: ScopeSource = Object.freeze({ scopesOf: async () => noScopes })

/** A place for the source, which is known only when the modules are: until then there are no scopes. */
export interface ScopeSwitch extends ScopeSource {
  serveFrom(source: ScopeSource): void
}

export function createScopeSwitch(): ScopeSwitch {
  let source: ScopeSource = { scopesOf: async () => noScopes }
  return {
    scopesOf: (tenantId, userId) => source.scopesOf(tenantId, userId),
    serveFrom(next) {
      source = next
    },
  }
}
