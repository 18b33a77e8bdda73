// How often one may ask in a minute: by address before anything is known of the caller, then by tenant, person and key. The
// headers are those of the IETF's draft on RateLimit fields.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { allStand, type DefencesOff } from '../../defences.ts'
import { errors } from '../../errors.ts'
import { networkOf } from '../../identity/networks.ts'
import type { Located, Tenant, TenantRates } from '../../stages.ts'
import { type RateCounts, windowEnd, windowMs } from './rate-counts.ts'

/** Requests in a minute; 0 for any number. */
export interface Rates {
  readonly address: number
  /** Of one address at /v1/auth/: passwords are tried there. */
  readonly auth: number
  readonly tenant: number
  readonly user: number
  readonly key: number
}

export interface RateLimits {
  /** Of `onRequest`, before the ladder. @throws RATE_LIMITED */
  byAddress(request: FastifyRequest, reply: FastifyReply): void
  /** When the ladder has said who it is. @throws RATE_LIMITED */
  byCaller(stage: object, reply: FastifyReply): void
  /** What is held of a tenant, its people and its keys. */
  inForce(tenant: Tenant): Required<TenantRates>
}

/** What the operator's own tools ask for again and again, and need most when there is most to do. */
export const isForOperator = (url: string): boolean => url === '/metrics' || url.startsWith('/health/')

const secondsLeft = (): number => Math.ceil((windowEnd() - Date.now()) / 1_000)
const policyOf = (name: string, limit: number): string => `"${name}";q=${limit};w=${windowMs / 1_000}`

interface Asked {
  readonly name: string
  readonly limit: number
  readonly left: number
}

export function createRateLimits(counts: RateCounts, rates: Rates, off: DefencesOff = allStand): RateLimits {
  const inForce = ({ rates: own }: Pick<Tenant, 'rates'>): Required<TenantRates> => ({
    tenant: own?.tenant ?? rates.tenant,
    user: own?.user ?? rates.user,
    key: own?.key ?? rates.key,
  })
  if (off.has('rateLimits')) return { byAddress: () => undefined, byCaller: () => undefined, inForce }

  const ask = (name: string, limit: number, who: string): Asked => ({
    name,
    limit,
    left: limit - counts.add(`${name} ${who}`),
  })

  /** Says what is left of the limit that is nearest. */
  function tell(asked: readonly Asked[], reply: FastifyReply): void {
    const [first] = asked
    if (!first) return
    const nearest = asked.reduce((a, b) => (b.left / b.limit < a.left / a.limit ? b : a))
    const reset = secondsLeft()
    void reply.header('ratelimit-policy', asked.map(({ name, limit }) => policyOf(name, limit)).join(', '))
    void reply.header('ratelimit', `"${nearest.name}";r=${Math.max(0, nearest.left)};t=${reset}`)
    const { name, limit, left } = nearest
    if (left < 0) throw errors.rateLimited({ policy: name, limit, retryAfter: reset })
  }

  return {
    inForce,
    byAddress({ url, ip }, reply) {
      if (isForOperator(url)) return
      const network = networkOf(ip)
      const isAuth = url.startsWith('/v1/auth/')
      tell(
        [
          ...(rates.address > 0 ? [ask('address', rates.address, network)] : []),
          ...(isAuth && rates.auth > 0 ? [ask('auth', rates.auth, network)] : []),
        ],
        reply,
      )
    },
    byCaller({ tenant, actor, credential }: Partial<Located>, reply) {
      if (!actor) return
      const now = tenant ? inForce(tenant) : { ...rates, tenant: 0 }
      // What one tenant lets its people do says nothing of what they do in another.
      const person = tenant?.rates?.user === undefined ? actor.id : `${tenant.id} ${actor.id}`
      const asked: Asked[] = []
      if (now.user > 0) asked.push(ask('user', now.user, person))
      if (now.key > 0 && credential === 'key') asked.push(ask('key', now.key, actor.session))
      if (tenant && now.tenant > 0) asked.push(ask('tenant', now.tenant, tenant.id))
      tell(asked, reply)
    },
  }
}
