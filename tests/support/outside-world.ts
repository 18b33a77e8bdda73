// The world outside, for tests: names from a DNS server of our own, a TLS server that public addresses lead to, and
// another that inner addresses lead to, which must not be reached. All of it on loopback.
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { publicAddressTest } from '../../kernel/src/outside/public-address.ts'
import type { World } from '../../kernel/src/outside/world.ts'
import { type DnsServer, startDnsServer } from './dns-server.ts'

export interface OutsideWorld {
  readonly world: World
  readonly dns: DnsServer
  /** What was asked of the server that public addresses lead to: `GET api.bank.example/path`. */
  readonly outer: string[]
  /** The same of the one that inner addresses lead to. */
  readonly inner: string[]
  /** Headers of the latest request to the outer server. */
  latest(): Readonly<Record<string, string | string[] | undefined>>
}

interface Ending {
  teardown(work: () => Promise<void>): void
}

export const publicAddress = '93.184.216.34'
const file = (name: string) => readFileSync(new URL(name, import.meta.url), 'utf8')
const certificate = file('outside-world.cert.pem')

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString()
}

/** Until the other side has had enough. */
async function drip(response: ServerResponse, write: () => void): Promise<void> {
  while (!response.destroyed && response.socket?.destroyed === false) {
    write()
    await sleep(20)
  }
}

const big = 6 * 1024 * 1024
const echo = { echoed: true }

type Behave = (request: IncomingMessage, response: ServerResponse, url: URL) => Promise<unknown> | unknown

/** What the outer server does, by path. */
const behaviours: Readonly<Record<string, Behave>> = {
  '/ok': (_, response) =>
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ fine: true })),
  '/echo': async (request, response) => {
    const { method, url, headers } = request
    response.setHeader('x-auth', headers.authorization ?? 'none')
    response.end(JSON.stringify({ ...echo, method, url, headers, body: await bodyOf(request) }))
  },
  '/status': (_, response, url) => response.writeHead(Number(url.searchParams.get('code'))).end('a body'),
  '/redirect': async (request, response, url) => {
    await bodyOf(request)
    const status = Number(url.searchParams.get('status') ?? 302)
    response.writeHead(status, { location: url.searchParams.get('to') ?? '/ok' }).end('elsewhere')
  },
  '/loop': (_, response) => response.writeHead(302, { location: '/loop' }).end(),
  '/gzip': (_, response) => response.setHeader('content-encoding', 'gzip').end(gzipSync('packed')),
  '/brotli': (_, response) => response.setHeader('content-encoding', 'br').end(brotliCompressSync('packed')),
  '/deflate': (_, response) => response.setHeader('content-encoding', 'deflate').end(deflateSync('packed')),
  '/gzip-bomb': (_, response) =>
    response.setHeader('content-encoding', 'gzip').end(gzipSync(Buffer.alloc(big, 'a'))),
  '/brotli-bomb': (_, response) =>
    response.setHeader('content-encoding', 'br').end(brotliCompressSync(Buffer.alloc(big, 'a'))),
  '/deflate-bomb': (_, response) =>
    response.setHeader('content-encoding', 'deflate').end(deflateSync(Buffer.alloc(big, 'a'))),
  '/gzip-twice': (_, response) =>
    response.setHeader('content-encoding', 'gzip, gzip').end(gzipSync(gzipSync(Buffer.alloc(big, 'a')))),
  '/gzip-lie': (_, response) => response.setHeader('content-encoding', 'gzip').end('not packed'),
  '/strange': (_, response) => response.setHeader('content-encoding', 'zebra').end('x'),
  '/big': (_, response) => response.end(Buffer.alloc(big, 'a')),
  '/big-in-chunks': async (_, response) => {
    const chunk = Buffer.alloc(256 * 1024, 'a')
    await drip(response, () => response.write(chunk))
  },
  '/drip': (_, response) => drip(response, () => response.write('a')),
  '/silent': () => undefined,
  '/endless-headers': (_, response) => {
    response.socket?.write('HTTP/1.1 200 OK\r\n')
    return drip(response, () => response.socket?.write(`x-${'a'.repeat(4_000)}: ${'b'.repeat(4_000)}\r\n`))
  },
  '/endless-status': (_, response) =>
    drip(response, () => response.socket?.write('HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n')),
  '/no-http': (_, response) => response.socket?.end('SSH-2.0-OpenSSH_9.6\r\n'),
  '/switch': (_, response) =>
    response.socket?.end('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
  '/cut': (_, response) => response.socket?.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this'),
  '/two-lengths': (_, response) =>
    response.socket?.end('HTTP/1.1 200 OK\r\ncontent-length: 4\r\ncontent-length: 9\r\n\r\nonly this'),
  '/chunk-lie': (_, response) =>
    response.socket?.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffffff\r\nabc'),
}

async function listen(t: Ending, answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer({ cert: certificate, key: file('outside-world.key.pem') }, answer)
  server.on('clientError', (_, socket) => socket.destroy())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  return (server.address() as AddressInfo).port
}

export async function makeOutsideWorld(t: Ending): Promise<OutsideWorld> {
  const outer: string[] = []
  const inner: string[] = []
  let latest: IncomingMessage['headers'] = {}
  const outerPort = await listen(t, (request, response) => {
    const url = new URL(request.url ?? '/', 'https://outer.example')
    outer.push(`${request.method} ${request.headers.host}${request.url}`)
    latest = request.headers
    const behave = behaviours[url.pathname]
    if (behave) Promise.resolve(behave(request, response, url)).catch(() => response.destroy())
    else response.writeHead(404).end()
  })
  const innerPort = await listen(t, (request, response) => {
    inner.push(`${request.method} ${request.headers.host}${request.url}`)
    response.end(JSON.stringify({ inner: 'the keys of the cloud' }))
  })
  const dns = await startDnsServer(t)
  const resolver = new Resolver({ timeout: 2_000, tries: 2 })
  resolver.setServers([`127.0.0.1:${dns.port}`])
  const isPublic = publicAddressTest()
  const world: World = {
    async lookup(name) {
      const found = await Promise.all([
        resolver.resolve4(name).catch(() => []),
        resolver.resolve6(name).catch(() => []),
      ])
      return found.flat()
    },
    roadTo: (address) => ({ address: '127.0.0.1', port: isPublic(address) ? outerPort : innerPort }),
    authorities: certificate,
  }
  for (const name of ['api.bank.example', 'cdn.bank.example', 'api.other.example', 'www.attacker.example'])
    dns.names.set(name, [[publicAddress]])
  return { world, dns, outer, inner, latest: () => latest }
}
