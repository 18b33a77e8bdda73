// The fetch engine: one request of somebody to the outside, with its redirects, within its time and sizes. It knows no
// plugin and no tenant; whoever asks says which hosts may be reached.
import type { Logger } from 'pino'
import { allStand, type DefencesOff } from '../defences.ts'
import { errors, isPlinthError } from '../errors.ts'
import { boundedLookup } from './bounded-lookup.ts'
import { type Answer, exchange } from './exchange.ts'
import { parseTarget, type Target } from './parse-target.ts'
import { publicAddressTest } from './public-address.ts'
import { fetchLimit, isFetchLimit } from './read-answer.ts'
import { isRedirect, type Outgoing, redirected } from './redirect.ts'
import { checkHeaders } from './request-headers.ts'
import type { World } from './world.ts'

export interface OutsideRequest extends Outgoing {
  readonly url: string
  /** The hosts whose secrets the URL holds. */
  readonly urlOnlyFor: readonly string[]
  readonly follow: boolean
  readonly timeoutMs: number
  /** Less than `fetchLimits` allows of an answer. */
  readonly answerBytes?: number
  /** @throws what the asker should be told when the host, as `needs.http` writes it, is not his to reach */
  checkGrant(host: string): void
}

export interface Fetcher {
  /** @throws FETCH_REFUSED, FETCH_FAILED, FETCH_TIMEOUT, FetchLimit */
  fetch(request: OutsideRequest): Promise<Answer>
  /** Ends what is under way. */
  close(): void
}

export const fetchLimits = Object.freeze({
  redirects: 3,
  requestBytes: 1024 * 1024,
  answerBytes: 5 * 1024 * 1024,
  timeoutMs: 10_000,
})

export function createFetcher(
  parts: {
    readonly world: World
    /** Hosts, as `needs.http` writes them, reached without TLS and wherever they are: the operator's own. */
    readonly plainHosts: readonly string[]
    readonly log: Logger
    /** For a world whose lookups hold no thread. */
    readonly lookupsAtOnce?: number
  },
  off: DefencesOff = allStand,
): Fetcher {
  const { world, log } = parts
  const plainHosts = new Set(parts.plainHosts)
  const isPublic = publicAddressTest()
  const ending = new AbortController()
  const rules = {
    world,
    lookup: boundedLookup(world, parts.lookupsAtOnce),
    mayDial: (target: Target, address: string) =>
      off.has('addressCheck') || plainHosts.has(target.host) || isPublic(address),
    answerBytes: off.has('fetchSize') ? Number.POSITIVE_INFINITY : fetchLimits.answerBytes,
  }

  const rulesFor = ({ answerBytes = Number.POSITIVE_INFINITY }: OutsideRequest) => ({
    ...rules,
    answerBytes: Math.min(rules.answerBytes, answerBytes),
  })

  function checkSecrets(request: OutsideRequest, target: Target): void {
    if (off.has('hostGrant')) return
    const bound = [
      ...request.headers.flatMap(({ onlyFor }) => (onlyFor === undefined ? [] : [onlyFor])),
      ...request.bodyOnlyFor,
      ...request.urlOnlyFor,
    ]
    const other = bound.find((host) => host !== target.host)
    if (other !== undefined)
      throw errors.fetchRefused({ reason: `a secret of '${other}' does not go to '${target.host}'.` })
  }

  async function follow(request: OutsideRequest, first: Target, signal: AbortSignal): Promise<Answer> {
    let target = first
    let sent: Outgoing = { ...request, headers: checkHeaders(request.headers) }
    for (let hops = 0; ; hops += 1) {
      const answer = await exchange(target, sent, rulesFor(request), signal)
      const location = answer.headers['location']
      if (!request.follow || !isRedirect(answer.status) || location === undefined) return answer
      if (hops === fetchLimits.redirects)
        throw errors.fetchRefused({ reason: `there were more than ${fetchLimits.redirects} redirects.` })
      const next = targetOf(location, target)
      if (!off.has('redirectCheck')) request.checkGrant(next.host)
      sent = redirected(sent, answer.status, target, next, !off.has('redirectCheck'))
      target = next
    }
  }

  function targetOf(location: string, from: Target): Target {
    const isRelative = !/^[a-z][a-z0-9+.-]*:|^[/\\]{2}|[\\\s]/i.test(location)
    const absolute = isRelative ? URL.parse(location, from.url)?.href : location
    if (!off.has('redirectCheck')) return parseTarget(absolute ?? location, plainHosts)
    const url = new URL(location, from.url)
    return { url, host: url.host }
  }

  return {
    async fetch(request) {
      const target = parseTarget(request.url, plainHosts)
      request.checkGrant(target.host)
      checkSecrets(request, target)
      const bodyBytes = request.body?.length ?? 0
      if (bodyBytes > fetchLimits.requestBytes && !off.has('fetchSize'))
        throw fetchLimit('fetch body bytes', bodyBytes, fetchLimits.requestBytes)
      const deadline = AbortSignal.timeout(request.timeoutMs)
      try {
        return await follow(request, target, AbortSignal.any([deadline, ending.signal]))
      } catch (error) {
        if (isPlinthError(error) || isFetchLimit(error)) throw error
        const { host } = target
        if (deadline.aborted) throw errors.fetchTimeout({ host, limitMs: request.timeoutMs })
        // Why is the operator's to know: it would tell a plugin what answers in his network and what does not. The text
        // alone: a parser's error carries what was received.
        log.info({ reason: error instanceof Error ? error.message : String(error), host }, 'a fetch failed')
        throw errors.fetchFailed({ host })
      }
    },
    close: () => ending.abort(new Error('the kernel is closing')),
  }
}
