// Which needs could never be met: hosts that are none, secrets of hosts that the plugin does not ask for.

import { isKey } from './check-fields.ts'
import { didYouMean } from './did-you-mean.ts'
import type { NeedsSpec } from './manifest.ts'

const MOST_SECRETS = 20
const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
const HOST = new RegExp(`^(?:${LABEL}\\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?(?::([1-9][0-9]{0,4}))?$`)

/** A name in small letters with a dot in it, by no address, and a port unless it is 443. */
function isHost(host: string): boolean {
  const match = HOST.exec(host)
  const port = Number(match?.[1] ?? 0)
  return match !== null && host.length <= 253 && port <= 65_535 && port !== 443
}

export function checkNeeds({ http = [], secrets = {} }: NeedsSpec): string[] {
  return [
    ...http
      .filter((host) => !isHost(host))
      .map(
        (host) =>
          `It needs the host '${host}', which is none: write a name in small letters such as 'api.bank.example', with ':8443' for another port. Addresses and wildcards are none.`,
      ),
    ...http
      .filter((host, at) => http.indexOf(host) !== at)
      .map((host) => `It needs the host '${host}' twice.`),
    ...(Object.keys(secrets).length > MOST_SECRETS ? [`It has more than ${MOST_SECRETS} secrets.`] : []),
    ...Object.entries(secrets).flatMap(([name, { title, host }]) => [
      ...(isKey(name) ? [] : [`The secret '${name}' has a bad name.`]),
      ...(typeof title === 'string' && title.trim() !== '' ? [] : [`The secret '${name}' has no title.`]),
      ...(http.includes(host)
        ? []
        : [`The secret '${name}' is for '${host}', which is not among needs.http.${didYouMean(host, http)}`]),
    ]),
  ]
}
