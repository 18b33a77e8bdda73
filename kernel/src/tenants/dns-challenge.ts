// Asks DNS whether a tenant has put its challenge beside a domain. The servers are asked directly: what the system's own
// resolver or hosts file says is no proof.
import { Resolver } from 'node:dns/promises'

/** `answer` is undefined when DNS could not say: that proves neither. */
export interface ChallengeAnswer {
  readonly found: boolean | undefined
  readonly reason: string
}

export type AskChallenge = (domain: string, challenge: string) => Promise<ChallengeAnswer>

const timeoutMs = 2_000
const tries = 2

export const challengeRecord = (domain: string): string => `_plinth-challenge.${domain}`

/** Not there, as the authority for the name says; anything else may be different in a minute. */
const isAbsent = (code: unknown): boolean => code === 'ENOTFOUND' || code === 'ENODATA'

export function createAskChallenge(servers: readonly string[] | undefined): AskChallenge {
  return async (domain, challenge) => {
    // One for each question: a resolver that is shared would keep a socket, and its failures, between tenants.
    const resolver = new Resolver({ timeout: timeoutMs, tries })
    if (servers) resolver.setServers(servers)
    try {
      const texts = (await resolver.resolveTxt(challengeRecord(domain))).map((parts) => parts.join('').trim())
      if (texts.includes(challenge)) return { found: true, reason: 'found' }
      return { found: false, reason: 'it has another value.' }
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined
      if (isAbsent(code)) return { found: false, reason: 'there is no such record.' }
      return { found: undefined, reason: `DNS did not answer (${String(code ?? 'no code')}). Try again.` }
    }
  }
}
