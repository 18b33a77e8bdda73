// A Redis of its own for a test, where the machine has one: on loopback, at a free port, in a folder that goes with it.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'

export interface RedisServer {
  readonly url: string
  /** For looking into it, and emptying it. */
  readonly client: Redis
  /** Ends the process as a power cut does. */
  kill(): Promise<void>
  /** As it was before it was killed, at the same port and empty. */
  start(): Promise<void>
}

interface Ending {
  teardown(work: () => Promise<unknown>): void
}

export const hasRedis = (): boolean => spawnSync('redis-server', ['--version']).status === 0

/** What a test says that is left out without one. */
export const noRedis = 'there is no redis-server on this machine (apt-get install redis-server)'

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

export async function startRedis(t: Ending): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'plinth-redis-'))
  const port = await freePort()
  const options = [
    '--port',
    `${port}`,
    '--bind',
    '127.0.0.1',
    '--dir',
    folder,
    '--save',
    '',
    '--appendonly',
    'no',
  ]
  const run = () => spawn('redis-server', options, { stdio: 'ignore' })
  let child = run()
  const client = new Redis(port, '127.0.0.1', { maxRetriesPerRequest: null, retryStrategy: () => 50 })
  client.on('error', () => undefined)
  async function kill(): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  t.teardown(async () => {
    client.disconnect()
    await kill()
    await rm(folder, { recursive: true, force: true })
  })
  await client.ping()
  return {
    url: `redis://127.0.0.1:${port}`,
    client,
    kill,
    async start() {
      child = run()
      await client.ping()
      await sleep(0)
    },
  }
}
