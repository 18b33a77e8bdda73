// Receivers of webhooks: a TLS server that public names lead to, which keeps what it was sent and answers as it is told, by
// host. What leads inside ends at another server, which must never be reached. All of it on loopback.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { publicAddressTest } from '../../kernel/src/outside/public-address.ts'
import type { World } from '../../kernel/src/outside/world.ts'

export interface Received {
  readonly host: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** As it came, for its signature. */
  readonly text: string
  readonly body: { readonly type: string; readonly timestamp: string; readonly data: Record<string, unknown> }
}

export interface Answering {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Never answers. */
  readonly hangs?: boolean
}

export interface WebhookReceiver {
  readonly world: World
  readonly received: readonly Received[]
  /** What was asked of the server inside. */
  readonly inner: readonly string[]
  of(host: string): readonly Received[]
  /** What the host answers from now on; 204 before that. */
  answer(host: string, answer: (request: Received, nth: number) => Answering): void
  /** The addresses of a name, of one lookup after the other; the last ones stay. */
  point(name: string, ...answers: readonly string[][]): void
}

interface Ending {
  teardown(work: () => Promise<void>): void
}

const file = (name: string) => readFileSync(new URL(name, import.meta.url), 'utf8')
const certificate = file('outside-world.cert.pem')
const publicAddress = '93.184.216.34'

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

async function receive(request: IncomingMessage): Promise<Received> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(Buffer.from(chunk))
  const text = Buffer.concat(chunks).toString()
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
  )
  const host = headers['host'] ?? ''
  return { host, path: request.url ?? '', headers, text, body: text === '' ? {} : JSON.parse(text) }
}

/** Names below `bank.example`, `other.example` and `attacker.example` have a certificate. */
export async function startWebhookReceiver(t: Ending): Promise<WebhookReceiver> {
  const received: Received[] = []
  const inner: string[] = []
  const answers = new Map<string, (request: Received, nth: number) => Answering>()
  const names = new Map<string, string[][]>()
  const outerPort = await listen(t, (request, response) => {
    void receive(request).then((one) => {
      received.push(one)
      const nth = received.filter(({ host }) => host === one.host).length
      const { status, headers = {}, body = '', hangs } = answers.get(one.host)?.(one, nth) ?? { status: 204 }
      if (!hangs) response.writeHead(status, { ...headers }).end(body)
    })
  })
  const innerPort = await listen(t, (request, response) => {
    inner.push(`${request.method} ${request.headers.host}${request.url}`)
    response.end('the keys of the cloud')
  })
  const isPublic = publicAddressTest()
  return {
    world: {
      async lookup(name) {
        const planned = names.get(name)
        if (!planned) return [publicAddress]
        return (planned.length > 1 ? planned.shift() : planned[0]) ?? []
      },
      roadTo: (address) => ({ address: '127.0.0.1', port: isPublic(address) ? outerPort : innerPort }),
      authorities: certificate,
    },
    received,
    inner,
    of: (host) => received.filter((one) => one.host === host),
    answer: (host, answer) => void answers.set(host, answer),
    point: (name, ...planned) => void names.set(name, [...planned]),
  }
}
