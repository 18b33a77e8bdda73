// One request to one host and its whole answer, on a connection of its own. The name is looked up once, every address
// it has is checked, and one that was checked is dialled: between check and dial a name cannot change its mind.
import { Buffer } from 'node:buffer'
import { buildConnector, Client } from 'undici'
import type { BoundedLookup } from './bounded-lookup.ts'
import type { Target } from './parse-target.ts'
import { readAnswer } from './read-answer.ts'
import type { SentHeader } from './request-headers.ts'
import type { World } from './world.ts'

export interface Exchange {
  readonly method: string
  readonly headers: readonly SentHeader[]
  readonly body: Buffer | undefined
}

export interface Answer {
  readonly status: number
  /** By name in small letters; several of one name are joined with a comma. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

export interface ExchangeRules {
  readonly world: World
  readonly lookup: BoundedLookup
  mayDial(target: Target, address: string): boolean
  readonly answerBytes: number
}

const headerBytes = 32 * 1024
const mostAddresses = 3

/** @throws FetchLimit, or any Error for what went wrong outside; its text is for the operator alone. */
export async function exchange(
  target: Target,
  sent: Exchange,
  rules: ExchangeRules,
  signal: AbortSignal,
): Promise<Answer> {
  const addresses = await addressesOf(target, rules, signal)
  const { url } = target
  const client = new Client(url.origin, {
    connect: connectorTo(addresses, target, rules.world),
    maxHeaderSize: headerBytes,
    // The signal is the deadline of the whole.
    headersTimeout: 0,
    bodyTimeout: 0,
    allowH2: false,
  })
  try {
    const response = await client.request({
      path: url.pathname + url.search,
      method: sent.method,
      headers: [
        ...['user-agent', 'Plinth', 'accept-encoding', 'gzip, deflate, br'],
        ...sent.headers.flatMap(({ name, value }) => [name, value]),
      ],
      body: sent.body ?? null,
      signal,
    })
    const headers = headersOf(response.headers)
    const encoding = headers['content-encoding'] ?? ''
    const isRedirect = response.statusCode >= 300 && response.statusCode < 400
    // The body of a redirect is of no use to anybody, nor has an answer to HEAD one.
    const body =
      isRedirect || sent.method === 'HEAD'
        ? Buffer.alloc(0)
        : await readAnswer(response.body, encoding, rules.answerBytes, signal)
    return { status: response.statusCode, headers, body }
  } finally {
    // A body that nobody reads on ends with an error, which is the end we make here.
    await client.destroy()
  }
}

async function addressesOf(
  target: Target,
  rules: ExchangeRules,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const addresses = await rules.lookup(target.url.hostname, signal)
  const refused = addresses.find((address) => !rules.mayDial(target, address))
  // One is enough: a name that has an inner address among its outer ones is no mistake of the plugin's.
  if (refused !== undefined) throw new Error(`the name has the address ${refused}, which is not public`)
  if (addresses.length === 0) throw new Error('the name has no address')
  return addresses.slice(0, mostAddresses)
}

/** Tries one address after the other; TLS asks for the name, whatever the address. */
function connectorTo(addresses: readonly string[], { url }: Target, world: World): buildConnector.connector {
  const isTls = url.protocol === 'https:'
  const port = Number(url.port || (isTls ? 443 : 80))
  const dial = buildConnector({
    allowH2: false,
    maxCachedSessions: 0,
    timeout: 5_000,
    // Not left to NODE_TLS_REJECT_UNAUTHORIZED.
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ...(world.authorities === undefined ? {} : { ca: world.authorities }),
  })
  return (options, done) => {
    const attempt = (at: number): void => {
      const road = world.roadTo(addresses[at] ?? '', port)
      const own = {
        ...options,
        hostname: road.address,
        port: String(road.port),
        ...(isTls ? { servername: url.hostname } : {}),
      }
      dial(own, (...args) => {
        if (args[0] && at + 1 < addresses.length) attempt(at + 1)
        else done(...args)
      })
    }
    attempt(0)
  }
}

function headersOf(raw: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(raw).map(([name, value]) => [
      name.toLowerCase(),
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  )
}
