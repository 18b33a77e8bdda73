// Access tokens, and the address that identity providers send people back to.
import { integer, setting } from './setting.ts'

function publicUrl(text: string | undefined): string {
  const url = URL.parse(text ?? 'http://localhost:3000')
  const isLocal = url !== null && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  if (!url || (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLocal)))
    throw new Error(`must be an https URL, or http on loopback, not '${text}'`)
  return url.origin + url.pathname.replace(/\/$/, '')
}

export const tokenSettings = {
  publicUrl: setting(
    'PLINTH_PUBLIC_URL',
    'http://localhost:3000',
    'Where people find the client. Links in mails start with it, and passkeys belong to its host name. https, or http on loopback.',
    publicUrl,
  ),
  accessTokenSeconds: setting(
    'PLINTH_ACCESS_TOKEN_SECONDS',
    '300',
    'How long an access token works: 60 to 600 seconds.',
    integer(300, 60, 600),
  ),
  signingKeyDays: setting(
    'PLINTH_SIGNING_KEY_DAYS',
    '30',
    'After how many days the key that signs access tokens is replaced by a new one.',
    integer(30, 1, 365),
  ),
}
