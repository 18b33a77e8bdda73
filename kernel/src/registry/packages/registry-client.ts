// The only file that talks to a registry: bounded answers, one deadline for all of them, the token for its own host alone,
// and no other place than those it was told. Nothing is kept, on disk or in memory.
import { type LookupAddress, lookup } from 'node:dns'
import { isIP } from 'node:net'
import { Agent, request } from 'undici'
import { errors, isPlinthError } from '../../errors.ts'
import { publicAddressTest } from '../../outside/public-address.ts'
import { type Refuse, shown } from './refusal.ts'

/** A key with which a registry signs what it serves, as `/-/npm/v1/keys` gives it. */
export interface RegistryKey {
  readonly keyid: string
  /** SubjectPublicKeyInfo, base64. */
  readonly key: string
  readonly expires?: string | null
}

export interface Registry {
  /** `https://...`, or `http://` on loopback. May have a path. */
  readonly url: string
  readonly token?: string
  /** Instead of those that the registry itself serves: whoever takes it over could serve his own. */
  readonly keys?: readonly RegistryKey[]
}

export interface Ask {
  readonly accept: string
  readonly limit: number
  /** For the sentence of a refusal. */
  readonly what: string
  /** Another host that may be asked too, by https, without the token. */
  readonly alsoHost?: string
}

export interface RegistryClient {
  /** Without a slash at its end. */
  readonly url: string
  /** The body, or undefined for 404. `address` is relative to the registry or absolute. */
  get(address: string, ask: Ask): Promise<Buffer | undefined>
  close(): Promise<void>
}

const mostRedirects = 3
const isLoopback = (host: string) =>
  host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)

function parseRegistry({ url }: Registry): URL {
  const unusable = (detail: string) => errors.registryUnavailable({ registry: shown(url), detail })
  if (!URL.canParse(url)) throw unusable('its address is not a URL.')
  const parsed = new URL(url)
  if (parsed.username || parsed.password || parsed.search || parsed.hash)
    throw unusable('its address may have a host and a path only; the token is a setting of its own.')
  if (parsed.protocol !== 'https:' && !(parsed.protocol === 'http:' && isLoopback(parsed.hostname)))
    throw unusable('it must be reached by https.')
  return parsed
}

/** A lookup that knows public addresses only, for hosts that a package named. */
function publicLookup(): typeof lookup {
  const isPublic = publicAddressTest()
  const guarded = (
    host: string,
    options: object,
    done: (error: Error | null, found?: LookupAddress[]) => void,
  ) =>
    lookup(host, { ...options, all: true }, (error, found) => {
      if (error) return done(error)
      const inner = found.find(({ address }) => !isPublic(address))
      return inner ? done(new Error(`'${host}' is an inner address`)) : done(null, found)
    })
  // undici asks for all addresses, always; node's type has an overload for each way to ask.
  return guarded as typeof lookup
}

export function openRegistry(registry: Registry, deadlineMs: number, refuse: Refuse): RegistryClient {
  const base = parseRegistry(registry)
  const url = base.href.replace(/\/+$/, '')
  const own = new Agent({ maxHeaderSize: 16_384 })
  const other = new Agent({ maxHeaderSize: 16_384, connect: { lookup: publicLookup() } })
  const signal = AbortSignal.timeout(deadlineMs)
  const unavailable = (detail: string, cause?: unknown) =>
    errors.registryUnavailable({ registry: url, detail }, cause)

  function wayTo(target: URL, { alsoHost, what }: Ask) {
    if (target.origin === base.origin) {
      const authorization = registry.token === undefined ? {} : { authorization: `Bearer ${registry.token}` }
      return { dispatcher: own, headers: authorization }
    }
    const isNamed = target.host === alsoHost && target.protocol === 'https:'
    if (!isNamed || target.username || isIP(target.hostname.replace(/^\[|\]$/g, '')) !== 0)
      throw refuse(
        'address',
        `For ${what} the registry sends to ${shown(target.origin)}, where the kernel does not go.`,
      )
    return { dispatcher: other, headers: {} }
  }

  async function read(body: AsyncIterable<Buffer>, { limit, what }: Ask): Promise<Buffer> {
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of body) {
      size += chunk.length
      if (size > limit) throw refuse('too-large', `For ${what} the registry sends more than ${limit} bytes.`)
      chunks.push(chunk)
    }
    return Buffer.concat(chunks, size)
  }

  async function ask(address: string, options: Ask): Promise<Buffer | undefined> {
    let target = parseTarget(address, `${url}/`)
    for (let redirects = 0; redirects <= mostRedirects; redirects += 1) {
      const { dispatcher, headers } = wayTo(target, options)
      const {
        statusCode,
        headers: answered,
        body,
      } = await request(target, {
        dispatcher,
        signal,
        headers: { ...headers, accept: options.accept, 'accept-encoding': 'identity' },
      })
      const encoding = answered['content-encoding'] ?? 'identity'
      if (statusCode === 200 && encoding === 'identity') return await read(body, options)
      // Not read to its end: that could be long.
      body.on('error', () => undefined).destroy()
      if (statusCode === 404) return undefined
      const { location } = answered
      if (![301, 302, 303, 307, 308].includes(statusCode) || typeof location !== 'string')
        throw unavailable(
          statusCode === 200
            ? `it sends '${shown(String(encoding))}' where nothing but plain bytes were asked for.`
            : `it answers ${statusCode} for ${options.what}.`,
        )
      target = parseTarget(location, target)
    }
    throw refuse('address', `For ${options.what} the registry redirects more than ${mostRedirects} times.`)
  }

  function parseTarget(address: string, from: string | URL): URL {
    if (!URL.canParse(address, from))
      throw refuse('address', `The registry names '${shown(address)}', which is no URL.`)
    return new URL(address, from)
  }

  return {
    url,
    async get(address, options) {
      try {
        return await ask(address, options)
      } catch (error) {
        if (isPlinthError(error)) throw error
        if (signal.aborted) throw unavailable(`it was not done within ${deadlineMs} ms.`, error)
        const text = error instanceof Error ? error.message : String(error)
        throw unavailable(`for ${options.what}: ${shown(text)}.`, error)
      }
    },
    async close() {
      await Promise.all([own.destroy(), other.destroy()])
    },
  }
}
