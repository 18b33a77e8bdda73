// Access tokens, and the keys that sign them.
import { integer, setting } from './setting.ts'

export const tokenSettings = {
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
