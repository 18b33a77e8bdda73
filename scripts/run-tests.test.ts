import { spawnSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { fileTree } from './file-tree.fixture.ts'
import { runTestFiles, verdict } from './run-tests.ts'

const summary = (counts: string) => `console.log('# { ${counts} }')`

async function run(
  t: Parameters<typeof fileTree>[0],
  source: string,
  timeoutMs = 20_000,
  signal?: AbortSignal,
) {
  const printed: string[] = []
  const root = fileTree(t, { 'a.test.ts': source })
  const files = ['a.test.ts']
  const print = (line: string) => printed.push(line)
  const counts = await runTestFiles({
    root,
    files,
    jobs: 2,
    timeoutMs,
    env: {},
    print,
    ...(signal ? { signal } : {}),
  })
  return { ...counts, printed: printed.join('\n') }
}

/** Killed and, where nobody collects orphans, still listed as a zombie. */
async function isGone(pid: number): Promise<boolean> {
  for (let i = 0; i < 40; i++) {
    const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' })
    if (/^(Z|$)/.test(stdout.trim())) return true
    await sleep(50)
  }
  return false
}

t.test('counts come from what each file says of itself', async (t) => {
  const { passed, failed, printed } = await run(t, summary('total: 5, pass: 5'))
  t.same([passed, failed], [5, 0])
  t.match(printed, /^ok {6}a\.test\.ts {2}5 in/)
})

t.test('a failed file shows what it printed', async (t) => {
  const source = `console.log('not ok 1 - sums'); ${summary('total: 5, pass: 3, fail: 1, skip: 1')}; process.exitCode = 1`
  const { passed, failed, printed } = await run(t, source)
  t.same([passed, failed], [3, 1])
  t.match(printed, 'not ok 1 - sums')
})

t.test('a file that crashes, says nothing or fails after its tests counts as one failure', async (t) => {
  t.match(await run(t, "throw new Error('early')"), { passed: 0, failed: 1, printed: /early/ })
  t.match(await run(t, ''), { passed: 0, failed: 1 })
  t.match(await run(t, `${summary('total: 2, pass: 2')}; process.exit(3)`), { passed: 2, failed: 1 })
})

t.test('a file that does not end is ended, with what it has started', async (t) => {
  const source = `const { spawn } = await import('node:child_process')
const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
console.log('child', child.pid)
process.on('SIGTERM', () => process.exit(1))
setInterval(() => {}, 1000)`
  const { failed, printed } = await run(t, source, 1_000)
  t.equal(failed, 1)
  t.match(printed, 'no end within 1 s')
  const pid = Number(/child (\d+)/.exec(printed)?.[1])
  t.equal(await isGone(pid), true)
})

t.test('an aborted run ends what is running and starts nothing more', async (t) => {
  const stopped = new AbortController()
  setTimeout(() => stopped.abort(), 500)
  const { failed } = await run(t, 'setInterval(() => {}, 1000)', 20_000, stopped.signal)
  t.equal(failed, 1)
})

t.test('a run in which nothing ran has failed', async (t) => {
  t.same(verdict({ passed: 0, failed: 0 }), { line: '0 passed, 0 failed', exitCode: 1 })
  t.same(verdict({ passed: 9, failed: 1 }), { line: '9 passed, 1 failed', exitCode: 1 })
  t.same(verdict({ passed: 9, failed: 0 }), { line: '9 passed, 0 failed', exitCode: 0 })
})
