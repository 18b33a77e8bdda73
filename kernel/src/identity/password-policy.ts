// Which passwords are good enough: long, not the person's own name or address, not among the ones that everybody tries,
// and, where the operator has named a service, not among those that were stolen somewhere. Nothing of composition: length
// and rarity are what counts.
import { createHash } from 'node:crypto'
import { dictionary } from '@zxcvbn-ts/language-common'
import type { Logger } from 'pino'
import { errors } from '../errors.ts'

export const shortestPassword = 10
export const longestPassword = 256
const breachDeadlineMs = 3_000
const longestRangeBytes = 1_000_000

export interface PasswordPolicy {
  /** @throws PASSWORD_REFUSED, VALIDATION_FAILED */
  check(password: string, person: { readonly email: string; readonly name?: string }): Promise<void>
}

/** Shorter ones are refused anyhow. */
const commonPasswords = (): ReadonlySet<string> =>
  new Set(dictionary['passwords-common'].filter((one) => one.length >= shortestPassword))

/** Whether the digest's end stands in the answer of a range service, with a count above zero (padding has zero). */
const isListed = (range: string, end: string): boolean =>
  range.split('\n').some((line) => {
    const [suffix, times] = line.trim().split(':')
    return suffix?.toUpperCase() === end && Number(times ?? 1) > 0
  })

export function createPasswordPolicy(options: {
  /** Start of the URL of a range service, with its slash. */
  readonly breachUrl: string | undefined
  readonly log: Logger
}): PasswordPolicy {
  const { breachUrl, log } = options
  const common = commonPasswords()

  async function isBreached(password: string): Promise<boolean> {
    if (breachUrl === undefined) return false
    const digest = createHash('sha1').update(password).digest('hex').toUpperCase()
    try {
      const answer = await fetch(breachUrl + digest.slice(0, 5), {
        headers: { 'add-padding': 'true' },
        signal: AbortSignal.timeout(breachDeadlineMs),
      })
      if (!answer.ok) throw new Error(`the service answered ${answer.status}`)
      const range = await answer.text()
      if (range.length > longestRangeBytes) throw new Error('the answer is too long')
      return isListed(range, digest.slice(5))
    } catch (error) {
      // People can set a password while the service is away; the list that comes along has been asked already.
      log.warn({ err: error }, 'breached passwords could not be looked up')
      return false
    }
  }

  return {
    async check(password, { email, name }) {
      const length = [...password].length
      if (length < shortestPassword || length > longestPassword) {
        const message = `must have ${shortestPassword} to ${longestPassword} characters`
        throw errors.validation({ errors: [{ field: 'password', code: 'INVALID', message }] })
      }
      const plain = password.toLowerCase()
      const own = [email, email.split('@')[0], name].map((one) => one?.trim().toLowerCase())
      if (own.includes(plain))
        throw errors.passwordRefused({ reason: 'The password is your own name or address. Take another.' })
      if (common.has(plain) || new Set(plain).size < 3)
        throw errors.passwordRefused({
          reason: 'The password is among the first that are tried. Take another.',
        })
      if (await isBreached(password))
        throw errors.passwordRefused({
          reason: 'The password was found among stolen ones. Take another, and do not use this one anywhere.',
        })
    },
  }
}
