// People: mail, and what signing in asks for.
import { integer, oneOf, setting } from './setting.ts'

function smtpUrl(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  // The text holds a password: it is never repeated in the message.
  if (!/^smtps?:$/.test(URL.parse(text)?.protocol ?? ''))
    throw new Error('must be a URL such as smtp://user:password@host:587 or smtps://user:password@host:465')
  return text
}

function mailFrom(text: string | undefined): string {
  const from = text ?? 'Plinth <plinth@localhost>'
  if (!/^(?:[^<>\r\n]{1,100} )?<?[^@<>\s]+@[^@<>\s]+>?$/.test(from))
    throw new Error(`must be an address such as "Acme ERP <erp@acme.example>", not '${from}'`)
  return from
}

function rangeUrl(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const url = URL.parse(text)
  const isLocal = url !== null && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  if (url?.protocol !== 'https:' && !(url?.protocol === 'http:' && isLocal))
    throw new Error(`must be an https URL, or http on loopback, not '${text}'`)
  return text.endsWith('/') ? text : `${text}/`
}

export const peopleSettings = {
  smtpUrl: setting(
    'PLINTH_SMTP_URL',
    'none: with the demo mail is written to the log, else it is refused',
    'SMTP server, such as `smtp://user:password@host:587` (STARTTLS, which only loopback may go without) or `smtps://user:password@host:465`.',
    smtpUrl,
  ),
  mailFrom: setting(
    'PLINTH_MAIL_FROM',
    'Plinth <plinth@localhost>',
    'Who mail is from: an address, or a name with an address in angle brackets.',
    mailFrom,
  ),
  verifyEmail: setting(
    'PLINTH_VERIFY_EMAIL',
    'required with PLINTH_SMTP_URL, else optional',
    'Whether a person must show that his address is his before he signs in: required or optional. Only with `required` does sign-up not tell whether an address has an account.',
    (text) => (text === undefined ? undefined : oneOf('optional', ['required', 'optional'])(text)),
  ),
  accountAttempts: setting(
    'PLINTH_SIGN_IN_ATTEMPTS',
    '10',
    'Failed attempts to sign in to one account from one network before that network has to wait: a minute, then twice as long each time, an hour at most. Ten times as many from all networks together, but for those where its owner has signed in within 90 days.',
    integer(10, 3, 100),
  ),
  addressAttempts: setting(
    'PLINTH_SIGN_IN_ATTEMPTS_PER_ADDRESS',
    '100',
    'The same for one network address, whichever accounts it tries. IPv6 counts by /64.',
    integer(100, 3, 10_000),
  ),
  breachUrl: setting(
    'PLINTH_BREACHED_PASSWORDS_URL',
    'none: a list of 1,500 that comes along',
    'Start of the URL of a range service for breached passwords. The first five hexadecimal digits of the SHA-1 of a new password are put behind it; the password itself is sent nowhere.',
    rangeUrl,
  ),
}
