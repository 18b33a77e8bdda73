// A kernel as a process of its own, as a user starts it.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { type Call, createClient } from '../../examples/load-journal/client.ts'
import { type Reply, repository, type Send, withFinance } from './kernel.ts'

const startDeadlineMs = 60_000
const endDeadlineMs = 25_000
const requestDeadlineMs = 60_000

export interface KernelProcess {
  readonly url: string
  readonly child: ChildProcess
  /** What it has printed so far: the greeting, then the log. */
  output(): string
  /** Sends the signal and waits for the end; resolves to the exit code, null after a kill. */
  end(signal?: NodeJS.Signals): Promise<number | null>
}

interface Ending {
  teardown(work: () => Promise<unknown>): void
}

/** Starts it and waits until it says where it is. Rejects with what it printed when it ends instead. */
export async function startKernelProcess(
  t: Ending,
  environment: Readonly<Record<string, string>>,
): Promise<KernelProcess> {
  const child = spawn(process.execPath, [join(repository, 'kernel/src/main.ts')], {
    cwd: repository,
    env: {
      PATH: process.env['PATH'] ?? '',
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? '',
      PORT: '0',
      LOG_LEVEL: 'warn',
      PLINTH_LONGEST_DELAY_MS: '0',
      PLINTH_PLUGINS_ROOT: withFinance,
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let printed = ''
  const ended = once(child, 'exit')
  async function end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal)
      const deadline = setTimeout(() => child.kill('SIGKILL'), endDeadlineMs)
      await ended
      clearTimeout(deadline)
    }
    return child.exitCode
  }
  t.teardown(() => end())
  const url = await new Promise<string>((resolve, reject) => {
    const deadline = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`not ready in time:\n${printed}`))
    }, startDeadlineMs)
    const read = (chunk: Buffer) => {
      printed += chunk.toString()
      const ready = /Plinth is ready at (\S+)/.exec(printed)?.[1]
      if (ready === undefined) return
      clearTimeout(deadline)
      resolve(ready)
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.once('exit', () => {
      clearTimeout(deadline)
      reject(new Error(printed))
    })
  })
  return { url, child, output: () => printed, end }
}

/** Speaks to the process as `sender` does to a kernel in this one. Rejects when the connection breaks. */
export function sendTo(url: string, own: Readonly<Record<string, string>> = {}): Send {
  return async (method, path, body, headers = {}) => {
    const json: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' }
    const response = await fetch(new URL(path, url), {
      method,
      headers: { ...own, ...json, ...headers },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(requestDeadlineMs),
    })
    const text = await response.text()
    const isJson = /json/.test(response.headers.get('content-type') ?? '')
    const answer: Reply['body'] = isJson ? JSON.parse(text) : {}
    return { status: response.status, body: answer, headers: Object.fromEntries(response.headers) }
  }
}

/** A client of the process, signed in as a new person. */
export async function signUpAt(
  url: string,
  email: string,
  password: string,
): Promise<Record<string, string>> {
  const { token } = await createClient(url, {})<{ token: string }>('POST', '/v1/auth/sign-up/email', {
    name: 'A Person',
    email,
    password,
  })
  return { authorization: `Bearer ${token}` }
}

export type { Call }
