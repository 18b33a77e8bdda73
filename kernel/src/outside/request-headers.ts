// The headers that a fetch may send. What frames the message or speaks for the connection is the engine's own; a value
// that could end its line never reaches the wire.
import { errors } from '../errors.ts'

/** `onlyFor`: the one host that may see it. */
export interface SentHeader {
  readonly name: string
  readonly value: string
  readonly onlyFor?: string
}

const mostHeaders = 50
const mostCharacters = 16 * 1024
const token = /^[a-z0-9!#$%&'*+.^_`|~-]{1,64}$/
const fieldValue = /^(?:[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?)?$/
const forbidden = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'upgrade',
  'te',
  'trailer',
  'expect',
  'via',
  'http2-settings',
  'accept-encoding',
  'content-encoding',
])
/** Not a plugin's to write down, for they are a person's or a machine's credentials. */
const secretOnly = new Set(['cookie'])

/** Credentials of one origin: no redirect takes them to another. */
export const isCredential = (name: string): boolean => name === 'authorization' || name === 'cookie'

const refuse = (reason: string) => errors.fetchRefused({ reason })

/** The same headers with their names in small letters. @throws FETCH_REFUSED */
export function checkHeaders(headers: readonly SentHeader[]): readonly SentHeader[] {
  if (headers.length > mostHeaders) throw refuse(`there are more than ${mostHeaders} headers.`)
  let characters = 0
  const seen = new Set<string>()
  return headers.map((header) => {
    const name = header.name.toLowerCase()
    if (!token.test(name)) throw refuse('a header has a name that is none.')
    if (forbidden.has(name) || name.startsWith('proxy-'))
      throw refuse(`the header '${name}' is not yours to set.`)
    if (secretOnly.has(name) && header.onlyFor === undefined)
      throw refuse(`the header '${name}' takes a secret and nothing else.`)
    if (seen.has(name)) throw refuse(`the header '${name}' is there twice.`)
    seen.add(name)
    if (!fieldValue.test(header.value))
      throw refuse(`the header '${name}' has a value that no header can have.`)
    characters += name.length + header.value.length
    if (characters > mostCharacters) throw refuse(`the headers have more than ${mostCharacters} characters.`)
    return { ...header, name }
  })
}
