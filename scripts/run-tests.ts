// Runs every *.test.ts against one embedded PostgreSQL and prints `N passed, N failed` last.
// `node scripts/run-tests.ts [part of a path ...]`.
//
// Each file is a process of its own that prints TAP, as `node the-file.test.ts` would. Not `tap run`: it starts
// TypeScript loaders that type stripping makes needless, and it puts NODE_OPTIONS into every process a test starts,
// even into the plugin hosts, whose environment must be empty.

import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { startTestCluster } from '../tests/support/cluster.ts'
import { sourceFiles } from './source-files.ts'

export interface TestRun {
  readonly root: string
  readonly files: readonly string[]
  readonly jobs: number
  readonly timeoutMs: number
  readonly env: Readonly<Record<string, string | undefined>>
  readonly print: (line: string) => void
  readonly signal?: AbortSignal
}

export interface Counts {
  readonly passed: number
  readonly failed: number
}

/** Long tails are for people who look at one file; a run keeps the end of what each file printed. */
const keptCharacters = 1_000_000
const killAfterMs = 5_000

export async function runTestFiles(run: TestRun): Promise<Counts> {
  const waiting = [...run.files]
  let passed = 0
  let failed = 0
  const work = async () => {
    for (let file = waiting.shift(); file !== undefined && !run.signal?.aborted; file = waiting.shift()) {
      const result = await runFile(run, file)
      passed += result.passed
      failed += result.failed
    }
  }
  await Promise.all(Array.from({ length: run.jobs }, work))
  return { passed, failed }
}

async function runFile(run: TestRun, file: string): Promise<Counts> {
  const started = performance.now()
  const { output, code, timedOut } = await outputOf(run, file)
  const counts = countsIn(output)
  // A file that fails without a failed test crashed, ran out of time, or ended before its tests did.
  const crashed = counts.failed === 0 && (timedOut || code !== 0 || counts.passed === 0)
  const result = { passed: counts.passed, failed: crashed ? 1 : counts.failed }
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  if (result.failed === 0) {
    run.print(`ok      ${file}  ${result.passed} in ${seconds} s`)
    return result
  }
  run.print(output.trimEnd())
  const reason = timedOut ? `no end within ${run.timeoutMs / 1000} s` : crashed ? `ended with ${code}` : ''
  run.print(`FAILED  ${file}  ${result.failed} failed in ${seconds} s${reason === '' ? '' : `: ${reason}`}`)
  return result
}

interface Ended {
  readonly output: string
  readonly code: number | string
  readonly timedOut: boolean
}

function outputOf(run: TestRun, file: string): Promise<Ended> {
  return new Promise((ended) => {
    // A group of its own, so that what a stuck test has started ends with it.
    const child = spawn(process.execPath, [join(run.root, file)], {
      cwd: run.root,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...run.env, TAP_TIMEOUT: String(run.timeoutMs / 1000) },
    })
    let output = ''
    let timedOut = false
    const keep = (text: string) => {
      output = (output + text).slice(-keptCharacters)
    }
    child.stdout.setEncoding('utf8').on('data', keep)
    child.stderr.setEncoding('utf8').on('data', keep)
    const stop = () => {
      signalGroup(child.pid, 'SIGTERM')
      setTimeout(() => signalGroup(child.pid, 'SIGKILL'), killAfterMs).unref()
    }
    // tap's own timeout ends the file first and names the test; this one is for a file that cannot end.
    const timer = setTimeout(() => {
      timedOut = true
      stop()
    }, run.timeoutMs + 2_000)
    run.signal?.addEventListener('abort', stop, { once: true })
    const finish = (code: number | string) => {
      clearTimeout(timer)
      run.signal?.removeEventListener('abort', stop)
      signalGroup(child.pid, 'SIGKILL')
      ended({ output, code, timedOut })
    }
    child.on('error', (error) => finish(error.message))
    // Not 'close': what a test left running would hold the pipes open for ever.
    child.on('exit', (code, signal) => setTimeout(finish, 50, code ?? signal ?? 'nothing'))
  })
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal)
  } catch {
    // The group has ended already.
  }
}

/** tap's last line: `# { total: 5, pass: 3, fail: 1, skip: 1 }`. */
function countsIn(output: string): Counts {
  const summary = [...output.matchAll(/^# \{ total: \d+.*\}$/gm)].at(-1)?.[0] ?? ''
  const of = (word: string) => Number(new RegExp(`\\b${word}: (\\d+)`).exec(summary)?.[1] ?? 0)
  return { passed: of('pass'), failed: of('fail') }
}

/** The line that says how a run ended, and its exit code: a run in which nothing ran has failed. */
export const verdict = ({ passed, failed }: Counts): { line: string; exitCode: number } => ({
  line: `${passed} passed, ${failed} failed`,
  exitCode: failed > 0 || passed === 0 ? 1 : 0,
})

async function main(root: string, parts: readonly string[]): Promise<void> {
  const files = sourceFiles(root, ['.test.ts']).filter(
    (path) => parts.length === 0 || parts.some((part) => path.includes(part)),
  )
  const stopped = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stopped.abort())
  const cluster = await startTestCluster()
  try {
    const env = {
      ...process.env,
      TEST_DATABASE_URL: cluster.adminUrl,
      // Reading and stripping the kernel's sources is a third of the CPU of a short file.
      NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/compiled'),
    }
    const print = (line: string) => console.log(line)
    const counts = await runTestFiles({
      root,
      files,
      jobs: 3,
      // More for a file that was asked for more than usual, as ORDER_RUNS does.
      timeoutMs: Number(process.env['TEST_TIMEOUT_MS'] ?? 240_000),
      env,
      print,
      signal: stopped.signal,
    })
    const { line, exitCode } = verdict(counts)
    console.log(line)
    process.exitCode = stopped.signal.aborted ? 130 : exitCode
  } finally {
    await cluster.stop()
  }
}

if (import.meta.main) await main(process.cwd(), process.argv.slice(2))
