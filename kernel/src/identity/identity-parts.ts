// What the flows of identity work with.
import type { Config } from '../config.ts'
import type { DefencesOff } from '../defences.ts'
import type { MailOutbox } from '../mail/mail-outbox.ts'
import type { RunControl } from '../tenants/control-transaction.ts'
import type { Accounts } from './accounts.ts'
import type { PasswordPolicy } from './password-policy.ts'
import type { Throttle, ThrottleRule } from './throttle.ts'

export interface IdentityParts {
  readonly accounts: Accounts
  readonly runControl: RunControl
  readonly outbox: MailOutbox
  readonly throttle: Throttle
  readonly passwords: PasswordPolicy
  readonly config: Pick<Config, 'publicUrl' | 'verifyEmail' | 'accountAttempts' | 'addressAttempts'>
  readonly off: DefencesOff
}

const hour = 3_600
const day = 24 * hour
/** So many times what may fail in one network may fail for an account in all of them. */
const fromAnywhere = 10

/** How often each thing may fail, or be asked for. */
export const throttleRules = (
  config: IdentityParts['config'],
): Readonly<Record<ThrottleRule['kind'], ThrottleRule>> => ({
  // From one network, or in one session.
  'account-here': {
    kind: 'account-here',
    free: config.accountAttempts,
    firstWaitSeconds: 60,
    longestWaitSeconds: 3_600,
    leakSeconds: day / config.accountAttempts,
  },
  account: {
    kind: 'account',
    free: config.accountAttempts * fromAnywhere,
    firstWaitSeconds: 60,
    longestWaitSeconds: 3_600,
    leakSeconds: day / (config.accountAttempts * fromAnywhere),
  },
  address: {
    kind: 'address',
    free: config.addressAttempts,
    firstWaitSeconds: 60,
    longestWaitSeconds: 3_600,
    leakSeconds: hour / config.addressAttempts,
  },
  // Mails to one mailbox, and mails that one network asks for.
  mail: { kind: 'mail', free: 5, firstWaitSeconds: 900, longestWaitSeconds: day, leakSeconds: hour / 5 },
  'mail-address': {
    kind: 'mail-address',
    free: config.addressAttempts,
    firstWaitSeconds: 60,
    longestWaitSeconds: 3_600,
    leakSeconds: hour / config.addressAttempts,
  },
})
