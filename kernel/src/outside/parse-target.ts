// The URL of a fetch, read so that there is one reading of it: what is written is what is compared with the grant, what
// is looked up and what TLS checks. A text that a parser would have to repair is refused, not repaired.
import { errors } from '../errors.ts'

export interface Target {
  readonly url: URL
  /** As `needs.http` writes it: the name, and the port when it is not 443. */
  readonly host: string
}

const longestUrl = 4_096
const visible = /^[\x21-\x5b\x5d-\x7e]+$/
const authority = /^(https?):\/\/([a-z0-9.-]+)(?::([1-9][0-9]{0,4}))?(?=[/?#]|$)/
const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
// The last label is a letter first: parsers read `a.1` and `a.0x1` as addresses.
const hostName = new RegExp(`^(?:${label}\\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$`)

const refuse = (reason: string) => errors.fetchRefused({ reason })

/** `plainHosts` are those that an operator lets be reached without TLS. @throws FETCH_REFUSED */
export function parseTarget(text: string, plainHosts: ReadonlySet<string>): Target {
  if (text.length > longestUrl) throw refuse(`the URL is longer than ${longestUrl} characters.`)
  if (!visible.test(text)) throw refuse('the URL has characters that a URL must not have; encode them.')
  const match = authority.exec(text)
  const url = URL.parse(text)
  if (!match || !url) {
    throw refuse(
      "the URL must be like 'https://api.bank.example/path', its host in small letters and by name.",
    )
  }
  const [, scheme, name = '', port] = match
  const host = port === undefined || port === '443' ? name : `${name}:${port}`
  const isPlain = scheme === 'http'
  if (isPlain && !plainHosts.has(host)) throw refuse('only https is spoken.')
  if (name.length > 253 || !(hostName.test(name) || plainHosts.has(host)))
    throw refuse(`'${name.slice(0, 80)}' is no name of an outside host.`)
  if (url.hostname !== name || url.username !== '' || url.password !== '')
    throw refuse('the host of the URL can be read in two ways.')
  url.hash = ''
  return { url, host }
}
