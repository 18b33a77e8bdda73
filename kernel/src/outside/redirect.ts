// What a redirect makes of a request: where it goes, as what, and what it may no longer carry.
import { errors } from '../errors.ts'
import type { Exchange } from './exchange.ts'
import type { Target } from './parse-target.ts'
import { isCredential } from './request-headers.ts'

export interface Outgoing extends Exchange {
  /** The hosts whose secrets the body holds. */
  readonly bodyOnlyFor: readonly string[]
}

const changesMethod = (status: number, method: string) =>
  status === 303 ? method !== 'HEAD' : (status === 301 || status === 302) && method === 'POST'

export const isRedirect = (status: number): boolean => [301, 302, 303, 307, 308].includes(status)

const describesBody = (name: string) => name.startsWith('content-')

/** `isStrict` is false with the redirect check off. @throws FETCH_REFUSED */
export function redirected(
  sent: Outgoing,
  status: number,
  from: Target,
  to: Target,
  isStrict: boolean,
): Outgoing {
  const drops = changesMethod(status, sent.method)
  const next: Outgoing = drops
    ? {
        method: 'GET',
        headers: sent.headers.filter(({ name }) => !describesBody(name)),
        body: undefined,
        bodyOnlyFor: [],
      }
    : sent
  if (!isStrict || from.url.origin === to.url.origin) return next
  if (from.url.protocol === 'https:' && to.url.protocol !== 'https:')
    throw errors.fetchRefused({ reason: 'a redirect leads away from https.' })
  if (next.bodyOnlyFor.some((host) => host !== to.host))
    throw errors.fetchRefused({ reason: 'a redirect would take a secret in the body to another host.' })
  return {
    ...next,
    headers: next.headers.filter(({ name, onlyFor }) => onlyFor === undefined && !isCredential(name)),
  }
}
