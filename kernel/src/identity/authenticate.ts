// Who is asking: the bearer token's session, from memory for a minute at most. The database tells every kernel
// process when a session ends (a trigger on identity.session notifies), so signing out acts at once.
import { LRUCache } from 'lru-cache'
import type { ChangeFeed } from '../data/change-feed.ts'
import { errors } from '../errors.ts'
import type { Actor, Arrival, Identified } from '../stages.ts'
import type { Accounts } from './accounts.ts'

const keptSessions = 50_000
const keptForMs = 60_000
/** better-auth's tokens are 32 characters, signed ones about 80. */
const longestToken = 512
/** The scheme in any case, as RFC 9110 has it. */
const bearer = /^bearer +([^ ]+) *$/i

export type Authenticate = (arrival: Arrival, authorization: string | undefined) => Promise<Identified>

/** @throws UNAUTHENTICATED from the function that comes back */
export function createAuthenticate(accounts: Pick<Accounts, 'findSession'>, feed: ChangeFeed): Authenticate {
  // The cache looks at the clock, and sets a timer, once in each time of this resolution.
  const actors = new LRUCache<string, Actor>({ max: keptSessions, ttl: keptForMs, ttlResolution: 1_000 })
  // A session can be shown in more than one form of its token: all of them are forgotten with it.
  const tokens = new LRUCache<string, readonly string[]>({ max: keptSessions })
  let changes = 0

  feed.onChange((change) => {
    changes += 1
    if (change.kind === 'all') actors.clear()
    if (change.kind !== 'session') return
    for (const token of tokens.get(change.id) ?? []) actors.delete(token)
    tokens.delete(change.id)
  })

  return async (arrival, authorization) => {
    const token = bearer.exec(authorization ?? '')?.[1]
    if (token === undefined || token.length > longestToken) throw errors.unauthenticated({})
    const known = actors.get(token)
    if (known) return { ...arrival, actor: known, token }
    const before = changes
    const actor = await accounts.findSession(token)
    if (!actor) throw errors.unauthenticated({})
    if (feed.isLive() && before === changes) {
      actors.set(token, actor)
      tokens.set(actor.session, [...(tokens.get(actor.session) ?? []).slice(-3), token])
    }
    return { ...arrival, actor, token }
  }
}
