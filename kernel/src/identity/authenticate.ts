// Who is asking: the bearer token is a session's, a short-lived access token, or an API key. What it stands for is kept
// in memory for a minute at most, and the change feed ends it at once in every process (a trigger on identity.session
// notifies, revoking a key announces).
import { LRUCache } from 'lru-cache'
import type { ChangeFeed } from '../data/change-feed.ts'
import { errors } from '../errors.ts'
import type { Arrival, Identified } from '../stages.ts'
import type { Credential } from './credential.ts'

const keptCredentials = 50_000
const keptForMs = 60_000
/** better-auth's tokens are 32 characters, signed ones about 80; access tokens have about 500. */
const longestToken = 2_048
/** The scheme in any case, as RFC 9110 has it. */
const bearer = /^bearer +([^ ]+) *$/i
const accessToken = /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/

export type Authenticate = (arrival: Arrival, authorization: string | undefined) => Promise<Identified>

type Find = (token: string) => Promise<Credential | undefined>

/** @throws UNAUTHENTICATED, KEY_ADDRESS_REFUSED from the function that comes back */
export function createAuthenticate(
  sources: { readonly findSession: Find; readonly findAccess: Find; readonly findKey: Find },
  feed: ChangeFeed,
): Authenticate {
  // The cache looks at the clock, and sets a timer, once in each time of this resolution.
  const credentials = new LRUCache<string, Credential>({
    max: keptCredentials,
    ttl: keptForMs,
    ttlResolution: 1_000,
  })
  // A session can be shown in more than one form of its token: all of them are forgotten with it.
  const tokens = new LRUCache<string, readonly string[]>({
    max: keptCredentials,
    // Nor is anything kept that could no longer be found by its session.
    dispose: (some, _session, reason) => {
      if (reason === 'evict') for (const token of some) credentials.delete(token)
    },
  })
  let changes = 0

  feed.onChange((change) => {
    changes += 1
    if (change.kind === 'all' || change.kind === 'tokenKeys') credentials.clear()
    if (change.kind !== 'session') return
    for (const token of tokens.get(change.id) ?? []) credentials.delete(token)
    tokens.delete(change.id)
  })

  const sourceOf = (token: string): Find => {
    if (token.startsWith('plk_')) return sources.findKey
    return accessToken.test(token) ? sources.findAccess : sources.findSession
  }

  async function find(token: string): Promise<Credential | undefined> {
    const known = credentials.get(token)
    if (known) return known
    const before = changes
    const found = await sourceOf(token)(token)
    if (found && feed.isLive() && before === changes) keep(token, found)
    return found
  }

  /** Who holds many tokens of one session has the oldest looked up again: none is kept that the feed could not end. */
  function keep(token: string, found: Credential): void {
    const others = (tokens.get(found.actor.session) ?? []).filter((other) => other !== token)
    for (const old of others.slice(0, -3)) credentials.delete(old)
    tokens.set(found.actor.session, [...others.slice(-3), token])
    credentials.set(token, found)
  }

  return async (arrival, authorization) => {
    const token = bearer.exec(authorization ?? '')?.[1]
    if (token === undefined || token.length > longestToken) throw errors.unauthenticated({})
    const found = await find(token)
    if (!found || (found.expiresAt !== undefined && found.expiresAt <= Date.now()))
      throw errors.unauthenticated({})
    // Who asks without an address asks about headers alone; the request itself comes here again with its own.
    if (arrival.address !== '' && found.mayCallFrom?.(arrival.address) === false)
      throw errors.keyAddressRefused({})
    const { actor, kind, tenantClaim, vouchedBy, scopes } = found
    return {
      ...arrival,
      actor,
      token,
      credential: kind,
      ...(tenantClaim !== undefined && { tenantClaim }),
      ...(vouchedBy !== undefined && { vouchedBy }),
      ...(scopes && { scopes }),
    }
  }
}
