// The way to a server on this machine, which can go dead: what is connected stays so, and nothing arrives any more.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface FrozenWay {
  readonly port: number
  /** Nothing arrives any more, and nothing is heard of it. */
  freeze(): void
  /** How many are connected still, once what was held back has arrived. */
  thaw(): Promise<number>
}

/** Longer than anybody tries to connect. */
const settleMs = 8_000
const stepMs = 100

export async function frozenWay(
  t: { teardown(work: () => Promise<unknown>): void },
  to: number,
): Promise<FrozenWay> {
  const callers = new Set<Socket>()
  const all = new Set<Socket>()
  let isFrozen = false
  const server = createServer({ allowHalfOpen: false }, (caller) => {
    const called = connect(to, '127.0.0.1')
    callers.add(caller)
    caller.on('close', () => callers.delete(caller))
    for (const [from, into] of [
      [caller, called],
      [called, caller],
    ] as const) {
      all.add(from)
      from.on('error', () => into.destroy())
      from.on('close', () => {
        all.delete(from)
        into.destroy()
      })
      if (!isFrozen) from.pipe(into)
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => {
    for (const socket of all) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  return {
    port: (server.address() as AddressInfo).port,
    freeze() {
      isFrozen = true
      for (const socket of all) socket.unpipe().pause()
    },
    async thaw() {
      for (const socket of all) socket.resume()
      for (let waited = 0; callers.size > 0 && waited < settleMs; waited += stepMs)
        await new Promise((resolve) => setTimeout(resolve, stepMs))
      return callers.size
    },
  }
}
