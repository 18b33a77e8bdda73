// What an attempt to sign in counts for. By account and network first: who guesses makes himself wait, and not the owner, who
// comes from somewhere else. Then by account alone, ten times as many, against guesses from many networks at once; that is not
// asked in a network where the owner has signed in before. An account that does not exist is counted in the same way.
import type { Arrival } from '../stages.ts'
import { type IdentityParts, throttleRules } from './identity-parts.ts'
import { networkOf } from './networks.ts'
import type { Counted } from './throttle.ts'

const knownForDays = 90
/** Newest first; who moves about is known where he was last. */
const mostSignIns = 200

export interface SignInCounts {
  /** Everything that is counted. */
  readonly all: readonly Counted[]
  /** Of them those that a success ends. */
  readonly ofAccount: readonly Counted[]
}

type Parts = Pick<IdentityParts, 'runControl' | 'config' | 'off'>

/** The failures of a person that end when he has shown who he is. */
export function ownCounts({ config, off }: Pick<Parts, 'config' | 'off'>, email: string, address: string) {
  const rules = throttleRules(config)
  const who = email.toLowerCase()
  const here: Counted = {
    rule: rules['account-here'],
    of: off.has('ownFailures') ? who : `${who} ${networkOf(address)}`,
  }
  return { here, anywhere: { rule: rules.account, of: who } satisfies Counted }
}

export async function signInCounts(
  parts: Parts,
  email: string,
  { address }: Pick<Arrival, 'address'>,
): Promise<SignInCounts> {
  const { here, anywhere } = ownCounts(parts, email, address)
  const ofAddress: Counted = { rule: throttleRules(parts.config).address, of: address }
  const isKnown = await isKnownNetwork(parts, email, networkOf(address))
  return {
    all: isKnown ? [ofAddress, here] : [ofAddress, here, anywhere],
    ofAccount: [here, anywhere],
  }
}

async function isKnownNetwork({ runControl }: Parts, email: string, network: string): Promise<boolean> {
  const rows = await runControl((tx) =>
    tx.query<{ address: string }>(
      `SELECT DISTINCT address FROM (
         SELECT e.address FROM identity.event e JOIN identity."user" u ON u.id = e.user_id
          WHERE lower(u.email) = lower($1) AND e.kind = 'signed-in' AND e.at > now() - make_interval(days => ${knownForDays})
          ORDER BY e.id DESC LIMIT ${mostSignIns}) known`,
      [email],
    ),
  )
  return rows.some(({ address }) => networkOf(address) === network)
}
