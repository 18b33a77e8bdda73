// The one HTTP server. The first path segment after /v1/ names a module; a Fastify instance behind its door is entered,
// every other path goes to the kernel's. Opening or closing a door is one change of a map: requests that are already
// inside finish on the instance they entered.
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { InjectOptions, LightMyRequestResponse } from 'fastify'
import type { Instance } from './create-instance.ts'
import { answerClientError, hasGoodHost, refuseHost } from './raw-problem.ts'

const closeDeadlineMs = 10_000
const pollMs = 20
/** Longer than taking an exclusive migration should; who waited longer is answered as the door then stands. */
const holdMs = 15_000

/** The way into one module. */
export interface Door {
  readonly usual: Instance
  /** The module is served at several versions: which one is the caller's? The usual one when that cannot be told. */
  readonly choose?: (headers: IncomingHttpHeaders) => Promise<Instance | undefined>
  /** Every instance behind this door. */
  readonly instances: readonly Instance[]
}

export interface FrontDoor {
  /**
   * Lets a module's requests through `door` from now on, or to the kernel's instance when there is none. Resolves
   * when instances of the door before that are not behind this one are empty and closed.
   */
  set(module: string, door: Door | undefined): Promise<void>
  /** Requests of the module wait, `holdMs` at most, until its door is set again. Resolves when nobody is inside. */
  hold(module: string): Promise<void>
  listen(host: string, port: number): Promise<{ readonly url: string; readonly port: number }>
  /** A request without a socket, for tests and the OpenAPI document. */
  inject(options: InjectOptions): Promise<LightMyRequestResponse>
  /** Takes no new request, lets those inside finish for 10 s, then cuts what is left. */
  shut(): Promise<void>
}

/** `/v1/finance/accounts?x` is in `finance`. */
export function moduleOfPath(url: string): string | undefined {
  if (!url.startsWith('/v1/')) return undefined
  const end = url.slice(4).search(/[/?#]/)
  return end === -1 ? url.slice(4) : url.slice(4, 4 + end)
}

export function createFrontDoor(kernel: Instance): FrontDoor {
  const doors = new Map<string, Door>()
  const held = new Map<string, { readonly released: Promise<void>; release(): void }>()
  const inside = new Map<Instance, number>()

  const answering = new WeakMap<Duplex, ServerResponse>()
  // Node's own check of the Host answers without a body; ours is below.
  const options = { requestTimeout: 30_000, headersTimeout: 10_000, requireHostHeader: false }

  const server: Server = createServer(options, (req, res) => {
    answering.set(req.socket, res)
    if (!hasGoodHost(req)) return refuseHost(res)
    const found = instanceFor(req.url ?? '/', req.headers)
    if (!(found instanceof Promise)) return enter(found, req, res)
    found.then(
      (instance) => enter(instance, req, res),
      (error: unknown) => {
        kernel.log.error({ err: error }, 'a door could not be chosen')
        enter(kernel, req, res)
      },
    )
  })
  server.keepAliveTimeout = 65_000
  server.on('clientError', (error, socket) => {
    const response = answering.get(socket)
    answerClientError(error, socket, response?.writableFinished ? undefined : response)
  })

  /** A promise only where something has to be found out first: the usual way has none. */
  function instanceFor(url: string, headers: IncomingHttpHeaders): Instance | Promise<Instance> {
    const module = moduleOfPath(url) ?? ''
    const waiting = held.get(module)
    if (waiting) return waiting.released.then(() => instanceFor(url, headers))
    const door = doors.get(module)
    if (!door?.choose) return door?.usual ?? kernel
    return door.choose(headers).then((chosen) => {
      const now = doors.get(module)
      // The door was set anew while the caller was looked up.
      if (now !== door) return instanceFor(url, headers)
      return chosen ?? door.usual
    })
  }

  function enter(instance: Instance, request: IncomingMessage, response: ServerResponse): void {
    inside.set(instance, (inside.get(instance) ?? 0) + 1)
    response.once('close', () => inside.set(instance, (inside.get(instance) ?? 1) - 1))
    instance.routing(request, response)
  }

  async function emptied(instances: Iterable<Instance>): Promise<void> {
    const waitFor = [...instances]
    const deadline = Date.now() + closeDeadlineMs
    while (waitFor.some((instance) => (inside.get(instance) ?? 0) > 0) && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, pollMs))
    }
  }

  async function retire(instance: Instance): Promise<void> {
    await emptied([instance])
    inside.delete(instance)
    await instance.close()
  }

  return {
    async set(module, door) {
      const before = doors.get(module)?.instances ?? []
      if (door) doors.set(module, door)
      else doors.delete(module)
      held.get(module)?.release()
      await Promise.all(before.filter((instance) => !door?.instances.includes(instance)).map(retire))
    },
    async hold(module) {
      if (!held.has(module)) {
        let release = () => {}
        const released = new Promise<void>((resolve) => {
          const deadline = setTimeout(() => held.get(module)?.release(), holdMs)
          release = () => {
            clearTimeout(deadline)
            held.delete(module)
            resolve()
          }
        })
        held.set(module, { released, release })
      }
      await emptied(doors.get(module)?.instances ?? [])
    },
    async listen(host, port) {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen(port, host, () => {
          server.off('error', reject)
          resolve()
        })
      })
      const address = server.address() as AddressInfo
      const name = address.family === 'IPv6' ? `[${address.address}]` : address.address
      return { url: `http://${name}:${address.port}`, port: address.port }
    },
    inject: async (options) => {
      const url = options.url ?? options.path ?? '/'
      const headers = Object.entries(options.headers ?? {}).map(([name, value]) => [
        name.toLowerCase(),
        value,
      ])
      const path = typeof url === 'string' ? url : (url.pathname ?? '/')
      const instance = await instanceFor(path, Object.fromEntries(headers))
      inside.set(instance, (inside.get(instance) ?? 0) + 1)
      try {
        return await instance.inject(options)
      } finally {
        inside.set(instance, (inside.get(instance) ?? 1) - 1)
      }
    },
    async shut() {
      const stopped = new Promise<void>((resolve) => {
        if (server.listening) server.close(() => resolve())
        else resolve()
      })
      server.closeIdleConnections()
      for (const waiting of [...held.values()]) waiting.release()
      await emptied(inside.keys())
      server.closeAllConnections()
      await stopped
      const instances = [...doors.values()].flatMap((door) => door.instances)
      await Promise.all([...instances, kernel].map((instance) => instance.close()))
    },
  }
}
