// The one HTTP server. The first path segment after /v1/ names a module; its Fastify instance is entered, every
// other path goes to the kernel's. Opening or closing a door is one change of a map: requests that are already
// inside finish on the instance they entered.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { InjectOptions, LightMyRequestResponse } from 'fastify'
import type { Instance } from './create-instance.ts'

const closeDeadlineMs = 10_000
const pollMs = 20

export interface FrontDoor {
  /** Lets a module's requests into `instance` from now on; the instance before it is closed once it is empty. */
  open(module: string, instance: Instance): void
  /** Requests of the module are answered by the kernel's instance from now on. */
  close(module: string): Promise<void>
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
  const doors = new Map<string, Instance>()
  const inside = new Map<Instance, number>()

  const instanceFor = (url: string): Instance => doors.get(moduleOfPath(url) ?? '') ?? kernel

  const server: Server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, (req, res) =>
    enter(req, res),
  )
  server.keepAliveTimeout = 65_000

  function enter(request: IncomingMessage, response: ServerResponse): void {
    const instance = instanceFor(request.url ?? '/')
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
    open(module, instance) {
      const before = doors.get(module)
      doors.set(module, instance)
      if (before)
        retire(before).catch((error: unknown) =>
          kernel.log.error({ err: error }, 'an instance did not close'),
        )
    },
    async close(module) {
      const before = doors.get(module)
      doors.delete(module)
      if (before) await retire(before)
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
    inject: (options) => {
      const url = options.url ?? options.path ?? '/'
      return instanceFor(typeof url === 'string' ? url : (url.pathname ?? '/')).inject(options)
    },
    async shut() {
      const stopped = new Promise<void>((resolve) => {
        if (server.listening) server.close(() => resolve())
        else resolve()
      })
      server.closeIdleConnections()
      await emptied(inside.keys())
      server.closeAllConnections()
      await stopped
      await Promise.all([...doors.values(), kernel].map((instance) => instance.close()))
    },
  }
}
