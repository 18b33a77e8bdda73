// Where a webhook may lead, as far as its text tells. What a name stands for is looked at when it is dialled, each time:
// to look it up here would tell who asks which names there are inside.
import { errors, isPlinthError } from '../errors.ts'
import { parseTarget } from '../outside/parse-target.ts'

/** Names that no name server of the internet knows (RFC 6761, RFC 6762, RFC 8375, and what clouds use inside). */
const innerName = /(?:^|\.)(?:localhost|local|localdomain|internal|intranet|home\.arpa|onion|invalid)$/

/** `plainHosts` are the operator's own, reached without TLS and wherever they are. @throws VALIDATION_FAILED */
export function checkEndpointUrl(url: string, plainHosts: ReadonlySet<string>): void {
  const refuse = (message: string) =>
    errors.validation({ errors: [{ field: 'url', code: 'URL_REFUSED', message }] })
  try {
    const { host, url: parsed } = parseTarget(url, plainHosts)
    if (!plainHosts.has(host) && innerName.test(parsed.hostname))
      throw refuse(`'${parsed.hostname}' is no name of an outside host.`)
  } catch (error) {
    if (isPlinthError(error) && error.code === 'FETCH_REFUSED')
      throw refuse(String((error.data as { reason: string }).reason))
    throw error
  }
}
