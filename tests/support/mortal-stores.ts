// A PostgreSQL and a Redis of a test's own, which can be killed and stand up again at the same address.
import { once } from 'node:events'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../kernel/src/data/embedded-postgres.ts'
import { kill, processesBelow } from './processes-below.ts'
import { hasRedis, startRedis } from './redis-server.ts'

export interface MortalStore {
  readonly url: string
  /** Kills it with everything it has started, and starts it again. */
  strike(): Promise<void>
}

interface Ending {
  teardown(work: () => Promise<unknown>): void
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

const log = { info: () => undefined, warn: (data: object, message: string) => console.error(message, data) }

/** What it has said to be committed outlives its death, though not the machine's: it does not wait for the disk. */
export async function mortalPostgres(t: Ending): Promise<MortalStore> {
  const folder = await mkdtemp(join(tmpdir(), 'plinth-mortal-'))
  await chmod(folder, 0o711)
  const settings = {
    port: String(await freePort()),
    fsync: 'off',
    full_page_writes: 'off',
    max_connections: '300',
  }
  const start = () => startEmbeddedPostgres({ dataDir: folder, reachableRoot: folder, log, settings })
  let server: EmbeddedPostgres = await start()
  t.teardown(async () => {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  })
  return {
    url: server.adminUrl,
    async strike() {
      for (const pid of [server.pid, ...(await processesBelow(server.pid))]) kill(pid)
      server = await start()
    },
  }
}

/** Redis from this machine, which keeps nothing on disk; undefined where there is none. */
export async function mortalRedis(t: Ending): Promise<MortalStore | undefined> {
  if (!hasRedis()) return undefined
  const { url, kill: killRedis, start } = await startRedis(t)
  return {
    url,
    async strike() {
      await killRedis()
      await start()
    },
  }
}
