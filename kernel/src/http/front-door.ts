// The one HTTP server. The first path segment after /v1/ names a module; a Fastify instance behind its door is entered,
// every other path goes to the kernel's. Opening or closing a door is one change of a map: requests that are already
// inside finish on the instance they entered.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { InjectOptions, LightMyRequestResponse } from 'fastify'
import type { RequestHead } from '../tenants/request-head.ts'
import type { Instance } from './create-instance.ts'
import { answerClientError, hasGoodHost, refuseHost } from './raw-problem.ts'

const closeDeadlineMs = 10_000
const pollMs = 20
/** Longer than taking an exclusive migration should; who waited longer is told that the module is not available. */
const holdMs = 15_000
/** Of one module, while it is held. */
const mostWaiting = 1_000

/** The way into one module. */
export interface Door {
  readonly usual: Instance
  /** The module is served at several versions: which one is the caller's? The usual one when that cannot be told. */
  readonly choose?: (head: RequestHead) => Promise<Instance | undefined>
  /** Every instance behind this door. */
  readonly instances: readonly Instance[]
}

export interface FrontDoor {
  /** Of a module that is there and not served: whoever comes is told so. */
  readonly closed: Door
  /**
   * Lets a module's requests through `door` from now on, or to the kernel's instance when there is none. Resolves
   * when instances of the door before that are not behind this one are empty and closed.
   */
  set(module: string, door: Door | undefined): Promise<void>
  /** Requests of the module wait until its door is set again, `holdMs` at most. Resolves when nobody is inside. */
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

interface Hold {
  /** True when the door was set, false when the wait is over. */
  readonly released: Promise<boolean>
  waiting: number
  release(isOpen: boolean): void
}

/** `unavailable` answers for modules that are there and not served. */
export function createFrontDoor(kernel: Instance, unavailable: Instance = kernel): FrontDoor {
  const closed: Door = { usual: unavailable, instances: [] }
  const doors = new Map<string, Door>()
  const held = new Map<string, Hold>()
  const inside = new Map<Instance, number>()

  const answering = new WeakMap<Duplex, ServerResponse>()
  // Node's own check of the Host answers without a body; ours is below.
  const options = { requestTimeout: 30_000, headersTimeout: 10_000, requireHostHeader: false }

  const server: Server = createServer(options, (req, res) => {
    answering.set(req.socket, res)
    if (!hasGoodHost(req)) return refuseHost(res)
    const { method = 'GET', url = '/', headers, socket } = req
    const admitted = admit({ method, url, headers, peer: socket.remoteAddress })
    if (!(admitted instanceof Promise)) return enter(admitted, req, res)
    admitted.then(
      (instance) => enter(instance, req, res),
      (error: unknown) => {
        kernel.log.error({ err: error }, 'a door could not be chosen')
        enter(count(unavailable), req, res)
      },
    )
  })
  server.keepAliveTimeout = 65_000
  server.on('clientError', (error, socket) => {
    const response = answering.get(socket)
    answerClientError(error, socket, response?.writableFinished ? undefined : response)
  })

  /**
   * The instance to enter, the caller counted as inside: from here on it is not closed before he has left. A promise
   * only where something has to be found out first: the usual way has none.
   */
  function admit(head: RequestHead): Instance | Promise<Instance> {
    const module = moduleOfPath(head.url) ?? ''
    const hold = held.get(module)
    if (hold) {
      if (hold.waiting >= mostWaiting) return count(unavailable)
      hold.waiting += 1
      return hold.released.then((isOpen) => {
        hold.waiting -= 1
        return isOpen ? admit(head) : count(unavailable)
      })
    }
    const door = doors.get(module)
    if (!door?.choose) return count(door?.usual ?? kernel)
    return door.choose(head).then((chosen) => {
      // The door was set anew, or is held, since the caller was looked up.
      if (doors.get(module) !== door || held.has(module)) return admit(head)
      return count(chosen ?? door.usual)
    })
  }

  function count(instance: Instance): Instance {
    inside.set(instance, (inside.get(instance) ?? 0) + 1)
    return instance
  }

  function leave(instance: Instance): void {
    inside.set(instance, (inside.get(instance) ?? 1) - 1)
  }

  function enter(instance: Instance, request: IncomingMessage, response: ServerResponse): void {
    response.once('close', () => leave(instance))
    // Who gave up while he waited has left already.
    if (response.closed) leave(instance)
    else instance.routing(request, response)
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
    closed,
    async set(module, door) {
      const before = doors.get(module)?.instances ?? []
      if (door) doors.set(module, door)
      else doors.delete(module)
      held.get(module)?.release(true)
      held.delete(module)
      await Promise.all(before.filter((instance) => !door?.instances.includes(instance)).map(retire))
    },
    async hold(module) {
      if (!held.has(module)) {
        const { promise, resolve } = Promise.withResolvers<boolean>()
        // It stays held after that: who comes later is told at once.
        const deadline = setTimeout(resolve, holdMs, false)
        const release = (isOpen: boolean) => {
          clearTimeout(deadline)
          resolve(isOpen)
        }
        held.set(module, { released: promise, waiting: 0, release })
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
      const instance = await admit({
        method: options.method ?? 'GET',
        url: path,
        headers: Object.fromEntries(headers),
        peer: options.remoteAddress ?? '127.0.0.1',
      })
      try {
        return await instance.inject(options)
      } finally {
        leave(instance)
      }
    },
    async shut() {
      const stopped = new Promise<void>((resolve) => {
        if (server.listening) server.close(() => resolve())
        else resolve()
      })
      server.closeIdleConnections()
      for (const waiting of held.values()) waiting.release(false)
      await emptied(inside.keys())
      server.closeAllConnections()
      await stopped
      const instances = [...doors.values()].flatMap((door) => door.instances)
      await Promise.all([...new Set([...instances, unavailable, kernel])].map((one) => one.close()))
    },
  }
}
