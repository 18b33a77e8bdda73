// One PostgreSQL for a whole test run. `node tests/support/cluster.ts <command> [arguments]` starts it, runs the
// command with its address in TEST_DATABASE_URL, stops it, and ends as the command ended.
import { spawn } from 'node:child_process'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbeddedPostgres } from '../../kernel/src/data/embedded-postgres.ts'

export interface TestCluster {
  readonly adminUrl: string
  stop(): Promise<void>
}

// A test database need not survive a power cut: without waiting for the disk a run takes a fraction of the time.
const settings = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '200',
  autovacuum: 'off',
}

const log = { info: () => undefined, warn: (data: object, message: string) => console.error(message, data) }

export async function startTestCluster(): Promise<TestCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'plinth-test-'))
  // mkdtemp shuts the folder to everybody else; started by root, PostgreSQL runs as somebody else.
  await chmod(folder, 0o711)
  const server = await startEmbeddedPostgres({ dataDir: folder, reachableRoot: folder, log, settings })
  endWith(process.pid, server.pid, folder)
  return {
    adminUrl: server.adminUrl,
    async stop() {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** A test that is killed runs no teardown: a shell waits for that and clears up after it. */
function endWith(test: number, server: number, folder: string): void {
  const script =
    'while kill -0 "$1"; do sleep 1; done; [ -d "$3" ] && kill -QUIT "$2" && sleep 1; rm -rf "$3"'
  const names = [String(test), String(server), folder]
  spawn('sh', ['-c', script, 'sh', ...names], { detached: true, stdio: 'ignore' }).unref()
}

async function runInCluster(command: string, commandArguments: string[]): Promise<number> {
  const cluster = await startTestCluster()
  // The child gets the same Ctrl-C from the terminal; we wait for it and then put the database away.
  process.on('SIGINT', () => undefined)
  try {
    return await new Promise<number>((ended, failed) => {
      const child = spawn(command, commandArguments, {
        stdio: 'inherit',
        env: { ...process.env, TEST_DATABASE_URL: cluster.adminUrl },
      })
      process.on('SIGTERM', () => child.kill('SIGTERM'))
      child.on('error', failed)
      child.on('close', (code) => ended(code ?? 1))
    })
  } finally {
    await cluster.stop()
  }
}

if (import.meta.main) {
  const [command, ...rest] = process.argv.slice(2)
  if (command === undefined)
    throw new Error('Say which command to run: node tests/support/cluster.ts tap run')
  process.exitCode = await runInCluster(command, rest)
}
