// A PostgreSQL and a Redis of a test's own, which can be killed and stand up again at the same address.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../kernel/src/data/embedded-postgres.ts'
import { kill, processesBelow } from './processes-below.ts'

export interface MortalStore {
  readonly url: string
  /** Kills it with everything it has started, and starts it again. */
  strike(): Promise<void>
}

interface Ending {
  teardown(work: () => Promise<unknown>): void
}

const standUpMs = 30_000

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
  try {
    execFileSync('redis-server', ['--version'])
  } catch {
    return undefined
  }
  const port = await freePort()
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const start = async (): Promise<ChildProcess> => {
    const child = spawn('redis-server', options, { stdio: ['ignore', 'pipe', 'inherit'], cwd: tmpdir() })
    await new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error('Redis did not start in time')), standUpMs)
      child.stdout.on('data', (chunk: Buffer) => {
        if (!chunk.includes('Ready to accept connections')) return
        clearTimeout(late)
        resolve()
      })
      child.once('exit', () => reject(new Error('Redis ended as it started')))
    })
    return child
  }
  let server = await start()
  const end = async () => {
    const ended = server.exitCode === null && server.signalCode === null ? once(server, 'exit') : undefined
    server.kill('SIGKILL')
    await ended
  }
  t.teardown(end)
  return {
    url: `redis://127.0.0.1:${port}/0`,
    async strike() {
      await end()
      server = await start()
    },
  }
}
