// What code that broke out of its isolate would find in the host process: a script that tries everything, started exactly
// as a host is. The control runs the same script without the walls, which shows that the attempts can succeed.
import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { probePlatform, spawnHost } from '../../kernel/src/sandbox/host-process.ts'
import { defaultLimits } from '../../kernel/src/sandbox/limits.ts'
import { hostProcessAttempts } from './host-process-attacks.fixture.ts'

const attempts = (port: number, parent: number) => `
const tries = { ${Object.entries(hostProcessAttempts(port, parent))
  .map(([name, attempt]) => `${name}: ${attempt}`)
  .join(',\n')} }
process.on('uncaughtException', () => undefined)
const done = (results) => { require('node:fs').writeSync(1, JSON.stringify(results)); process.kill(process.pid, 'SIGKILL') }
;(async () => {
  const results = {}
  for (const [name, attempt] of Object.entries(tries)) {
    try { await Promise.race([attempt(), new Promise((_, reject) => setTimeout(reject, 2000, new Error('late')))]); results[name] = 'did it' }
    catch (error) { results[name] = 'refused' }
  }
  done(results)
})()
`

type Results = Readonly<Record<string, string>>

const read = (stream: NodeJS.ReadableStream): Promise<Results> =>
  new Promise((resolve, reject) => {
    let text = ''
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
    stream.on('end', () => (text === '' ? reject(new Error('it said nothing')) : resolve(JSON.parse(text))))
  })

t.test('a host process', async (t) => {
  const server = createServer((_request, response) => response.end('here'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => new Promise((resolve) => server.close(resolve)))
  const { port } = server.address() as AddressInfo
  const script = attempts(port, process.pid)

  const platform = await probePlatform()
  const walled = await read(spawnHost(platform, script, defaultLimits.host).stdout)
  const open = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const control = await read(open.stdout)

  // Node's permission model lets a process signal others of its user: only the wall 'own user' stops that.
  const onlyByUser = ['signalTheKernel']
  for (const [attempt, result] of Object.entries(walled)) {
    if (onlyByUser.includes(attempt) && platform.missing.includes('own user')) continue
    t.equal(result, 'refused', attempt)
  }
  for (const [attempt, result] of Object.entries(control)) t.equal(result, 'did it', `control: ${attempt}`)

  t.test(
    'has the permission model alone where the platform has nothing else, and that holds too',
    async (t) => {
      const bare = await read(spawnHost({ ...platform, wrapper: [] }, script, defaultLimits.host).stdout)
      for (const [attempt, result] of Object.entries(bare)) {
        if (!onlyByUser.includes(attempt)) t.equal(result, 'refused', attempt)
      }
    },
  )
})
