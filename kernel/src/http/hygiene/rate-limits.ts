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
  byAddress(request: FastifyRequest): void
  /** When the ladder has said who it is. @throws RATE_LIMITED */
  byCaller(stage: object, request: FastifyRequest): void
  /** Of `onSend`: says what is left of the limit that is nearest, of those that were asked last. */
  tell(request: FastifyRequest, reply: FastifyReply): void
  /** What is held of a tenant, its people and its keys. */
  inForce(tenant: Tenant): Required<TenantRates>
}

declare module 'fastify' {
  interface FastifyRequest {
    /** What was counted of it last, for the answer to tell. */
    counted: readonly Counted[] | null
  }
}

/** What the operator's own tools ask for again and again, and need most when there is most to do. */
export const isForOperator = (url: string): boolean => url === '/metrics' || url.startsWith('/health/')

const secondsLeft = (): number => Math.ceil((windowEnd() - Date.now()) / 1_000)
const policyOf = (name: string, limit: number): string => `"${name}";q=${limit};w=${windowMs / 1_000}`

interface Rate {
  readonly name: string
  readonly limit: number
  /** As the header has it. */
  readonly policy: string
}

interface Counted {
  readonly rate: Rate
  readonly left: number
}

const rateOf = (name: string, limit: number): Rate => ({ name, limit, policy: policyOf(name, limit) })

const nearestOf = (counted: readonly Counted[]): Counted | undefined => {
  let nearest = counted[0]
  for (const one of counted) {
    if (nearest && one.left / one.rate.limit < nearest.left / nearest.rate.limit) nearest = one
  }
  return nearest
}

/** Those of a tenant, which come before what the installation says. */
type Own = Readonly<Record<keyof TenantRates, Rate>>

export function createRateLimits(counts: RateCounts, rates: Rates, off: DefencesOff = allStand): RateLimits {
  const none = () => undefined
  const inForce = ({ rates: own }: Pick<Tenant, 'rates'>): Required<TenantRates> => ({
    tenant: own?.tenant ?? rates.tenant,
    user: own?.user ?? rates.user,
    key: own?.key ?? rates.key,
  })
  if (off.has('rateLimits')) return { byAddress: none, byCaller: none, tell: none, inForce }

  const address = rateOf('address', rates.address)
  const auth = rateOf('auth', rates.auth)
  const usual = ownOf(inForce({}))
  /** By what a tenant is held to, which is one object for as long as it is kept in memory. */
  const owns = new WeakMap<TenantRates, Own>()

  function ratesOf(tenant: Tenant | undefined): Own {
    if (!tenant?.rates) return usual
    const own = owns.get(tenant.rates) ?? ownOf(inForce(tenant))
    owns.set(tenant.rates, own)
    return own
  }

  function count(counted: Counted[], rate: Rate, who: string): void {
    if (rate.limit > 0) counted.push({ rate, left: rate.limit - counts.add(`${rate.name} ${who}`) })
  }

  function judge(request: FastifyRequest, counted: readonly Counted[]): void {
    if (counted.length > 0) request.counted = counted
    const nearest = nearestOf(counted)
    if (!nearest || nearest.left >= 0) return
    const { name, limit } = nearest.rate
    throw errors.rateLimited({ policy: name, limit, retryAfter: secondsLeft() })
  }

  return {
    inForce,
    byAddress(request) {
      if (isForOperator(request.url)) return
      const network = networkOf(request.ip)
      const counted: Counted[] = []
      count(counted, address, network)
      if (request.url.startsWith('/v1/auth/')) count(counted, auth, network)
      judge(request, counted)
    },
    byCaller({ tenant, actor, credential }: Partial<Located>, request) {
      if (!actor) return
      const now = ratesOf(tenant)
      const counted: Counted[] = []
      // What one tenant lets its people do says nothing of what they do in another.
      count(counted, now.user, tenant?.rates?.user === undefined ? actor.id : `${tenant.id} ${actor.id}`)
      if (credential === 'key') count(counted, now.key, actor.session)
      if (tenant) count(counted, now.tenant, tenant.id)
      judge(request, counted)
    },
    tell({ counted }, reply) {
      const nearest = counted && nearestOf(counted)
      if (!nearest) return
      void reply.header('ratelimit-policy', counted.map(({ rate }) => rate.policy).join(', '))
      const left = Math.max(0, nearest.left)
      void reply.header('ratelimit', `"${nearest.rate.name}";r=${left};t=${secondsLeft()}`)
    },
  }
}

const ownOf = ({ tenant, user, key }: Required<TenantRates>): Own => ({
  tenant: rateOf('tenant', tenant),
  user: rateOf('user', user),
  key: rateOf('key', key),
})
