import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import t from 'tap'
import { canReach, postgresAccount } from './embedded/os-account.ts'
import { runningPostmaster } from './embedded/postmaster-file.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.ts'

const settings = { fsync: 'off' }
const account = postgresAccount()

function listen() {
  const messages: string[] = []
  const hear = (_data: object, message: string) => void messages.push(message)
  return { messages, info: hear, warn: hear }
}

interface Ending {
  teardown(work: () => Promise<void>): void
}

async function folder(t: Ending, mode = 0o711): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'plinth-embedded-'))
  await chmod(path, mode)
  t.teardown(() => rm(path, { recursive: true, force: true }))
  return path
}

async function start(t: Ending, dataDir: string, log = listen(), reachableRoot = dataDir) {
  const server = await startEmbeddedPostgres({ dataDir, reachableRoot, log, settings })
  t.teardown(() => server.stop())
  return server
}

async function ask(server: EmbeddedPostgres, text: string): Promise<unknown> {
  const client = new pg.Client(server.adminUrl)
  await client.connect()
  const { rows } = await client.query({ text, rowMode: 'array' })
  await client.end()
  return rows[0]?.[0]
}

/** Another kernel process, which starts the database and then waits. */
async function otherKernel(dataDir: string): Promise<ChildProcess> {
  const module = new URL('./embedded-postgres.ts', import.meta.url).href
  const log = '{ info() {}, warn() {} }'
  const code = `
    const { startEmbeddedPostgres } = await import(${JSON.stringify(module)})
    await startEmbeddedPostgres({ dataDir: ${JSON.stringify(dataDir)}, reachableRoot: ${JSON.stringify(dataDir)}, log: ${log}, settings: { fsync: 'off' } })
    console.log('ready'); setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  return child
}

t.test('a first start makes the database and a second one finds what was written', async (t) => {
  const dataDir = await folder(t)
  const first = await start(t, dataDir)
  t.equal(first.reused, false)
  t.equal(await ask(first, 'show server_encoding'), 'UTF8')
  t.equal(await ask(first, 'show data_checksums'), 'on')
  t.equal(await ask(first, 'show listen_addresses'), '127.0.0.1')
  t.equal(await ask(first, 'show unix_socket_directories'), '')
  t.equal(await ask(first, `select upper('äé')`), 'ÄÉ', 'upper and lower case of every script')
  await ask(first, 'create table kept as select 42 as answer')
  await first.stop()
  t.equal(runningPostmaster(join(dataDir, 'postgres', 'data')), undefined)
  const second = await start(t, dataDir)
  t.equal(await ask(second, 'select answer from kept'), 42)
})

t.test('the password is asked for, and is in a file that nobody else may read', async (t) => {
  const dataDir = await folder(t)
  const server = await start(t, dataDir)
  const url = new URL(server.adminUrl)
  url.password = 'guess'
  await t.rejects(new pg.Client(url.href).connect(), { code: '28P01' })
  const { mode } = await stat(join(dataDir, 'postgres', 'password'))
  t.equal(mode & 0o777, 0o600)
})

t.test('a kernel that is killed leaves the database running, and the next one takes it over', async (t) => {
  const dataDir = await folder(t)
  const killed = await otherKernel(dataDir)
  killed.kill('SIGKILL')
  await once(killed, 'exit')
  const log = listen()
  const server = await start(t, dataDir, log)
  t.ok(server.reused)
  t.strictSame(log.messages, ['found the embedded PostgreSQL already running'])
  t.equal(await ask(server, 'select 1'), 1)
  await server.stop()
  t.equal(runningPostmaster(join(dataDir, 'postgres', 'data')), undefined, 'and stops it when it closes')
})

t.test('a kernel does not stop the database of another that is alive', async (t) => {
  const dataDir = await folder(t)
  const keeper = await otherKernel(dataDir)
  const guest = await startEmbeddedPostgres({ dataDir, reachableRoot: dataDir, log: listen(), settings })
  await guest.stop()
  t.equal(await ask(guest, 'select 1'), 1)
  keeper.kill('SIGKILL')
  await once(keeper, 'exit')
  const heir = await start(t, dataDir)
  t.ok(heir.reused)
})

t.test('two kernels that start at once on an empty folder share one database', async (t) => {
  const dataDir = await folder(t)
  const both = await Promise.all([start(t, dataDir), start(t, dataDir)])
  t.equal(both[0].pid, both[1].pid)
  t.equal(both[0].adminUrl, both[1].adminUrl)
})

t.test('a postmaster file of a stranger, as after a power cut, does not prevent the start', async (t) => {
  const dataDir = await folder(t)
  const first = await start(t, dataDir)
  await first.stop()
  const file = join(dataDir, 'postgres', 'data', 'postmaster.pid')
  await writeFile(file, `${process.pid}\n${dataDir}\n1\n5432\n\n127.0.0.1\n\nready\n`)
  const second = await start(t, dataDir)
  t.equal(await ask(second, 'select 1'), 1)
})

t.test('a start that fails says why, with the end of the log', async (t) => {
  const dataDir = await folder(t)
  const wrong = { dataDir, reachableRoot: dataDir, log: listen(), settings: { shared_buffers: 'lots' } }
  await t.rejects(startEmbeddedPostgres(wrong), { message: /did not start.*shared_buffers/s })
})

t.test(
  'a folder that the account of PostgreSQL cannot reach is replaced, and the log says so',
  {
    skip: account ? false : 'only root lends PostgreSQL another account',
  },
  async (t) => {
    const hidden = await folder(t, 0o700)
    const reachable = await folder(t)
    const dataDir = join(hidden, 'data')
    t.equal(canReach(account, dataDir), false)
    const log = listen()
    const server = await start(t, dataDir, log, reachable)
    t.match(log.messages, [/cannot reach DATA_DIR/])
    t.match(await ask(server, 'show data_directory'), reachable)
    await server.stop()
    const again = await start(t, dataDir, listen(), reachable)
    t.match(await ask(again, 'show data_directory'), reachable)
  },
)

t.test('programs without their library links or executable bits are put right', async (t) => {
  const place = await folder(t)
  const { hydrateLinks, makeRunnable } = await import('./embedded/postgres-binaries.ts')
  const native = join(place, 'native')
  await mkdir(join(native, 'bin'), { recursive: true })
  await mkdir(join(native, 'lib'))
  for (const program of ['initdb', 'postgres', 'pg_ctl'])
    await writeFile(join(native, 'bin', program), '', { mode: 0o644 })
  await writeFile(join(native, 'lib', 'libpq.so.5.18'), 'library')
  const links = [{ source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so.5' }]
  await writeFile(join(native, 'pg-symlinks.json'), JSON.stringify(links))
  t.ok(await makeRunnable(native))
  await hydrateLinks(native)
  t.equal(await readFile(join(native, 'lib', 'libpq.so.5'), 'utf8'), 'library')
  t.equal((await stat(join(native, 'bin', 'postgres'))).mode & 0o111, 0o111)
  await cp(native, join(place, 'elsewhere', 'native'), { recursive: true, verbatimSymlinks: true })
  t.equal(
    await readFile(join(place, 'elsewhere', 'native', 'lib', 'libpq.so.5'), 'utf8'),
    'library',
    'links are relative',
  )
})
