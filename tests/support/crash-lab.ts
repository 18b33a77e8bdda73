// A plugin's life in a kernel process that is killed on the way, with everything a test then looks at.
import { setTimeout as sleep } from 'node:timers/promises'
import { type KernelProcess, sendTo } from './kernel-process.ts'
import {
  type OperatedProcesses,
  openTenantAt,
  operatedProcesses,
  type ProcessTenant,
} from './operated-processes.ts'
import { type OperationGate, operationGate } from './operation-gate.ts'
import { operatorToken } from './operator.ts'

const authorization = { authorization: `Bearer ${operatorToken}` }
const deadlineMs = 60_000
const paths = {
  install: '',
  upgrade: '/visits/upgrade',
  rollback: '/visits/rollback',
  disable: '/visits/disable',
  enable: '/visits/enable',
  remove: '/visits',
}
export type Kind = keyof typeof paths

export interface Ended {
  readonly id: string
  readonly kind: string
  readonly state: string
  readonly done: readonly string[]
  readonly data: Readonly<Record<string, unknown>>
  readonly error: { readonly code: string; readonly message: string } | null
}

export interface CrashLab extends OperatedProcesses {
  readonly gate: OperationGate
  /** The process that serves now. */
  readonly kernel: () => KernelProcess
  readonly tenant: ProcessTenant
  /** Asks the process, whether it lives to answer or not. */
  ask(kind: Kind, body?: object): void
  /** Kills the process, undoes what `between` waits for, and starts another. */
  killed(between?: () => Promise<void>): Promise<void>
  /** The newest operation, when it has ended. */
  ended(): Promise<Ended>
  /** From asking to the end, with a death before the step is noted. */
  killedAt(step: string, kind: Kind, body?: object): Promise<Ended>
  /** Undisturbed. */
  carriedOut(kind: Kind, body?: object): Promise<Ended>
  /** What the tenant's owner gets. */
  get(path: string): Promise<{ status: number; body: Readonly<Record<string, unknown>> }>
  post(path: string, body: object): Promise<{ status: number; body: Readonly<Record<string, unknown>> }>
}

export async function crashLab(t: Parameters<typeof operatedProcesses>[0]): Promise<CrashLab> {
  const processes = await operatedProcesses(t)
  const { database, start } = processes
  const gate = await operationGate(await database.connect({ connectionString: database.adminUrl }))
  let kernel = await start()
  const tenant = await openTenantAt(kernel.url)

  const ask = (kind: Kind, body: object = {}) => {
    const path = `/v1/operator/plugins${paths[kind]}`
    sendTo(kernel.url, authorization)(kind === 'remove' ? 'DELETE' : 'POST', path, body).catch(
      () => undefined,
    )
  }
  async function ended(): Promise<Ended> {
    const deadline = Date.now() + deadlineMs
    for (;;) {
      const { rows } = await database.admin.query<Ended>(
        'SELECT id, kind, state, done, data, error FROM kernel.plugin_operation ORDER BY created_at DESC LIMIT 1',
      )
      const [last] = rows
      if (last && /^(succeeded|failed)$/.test(last.state)) return last
      if (Date.now() > deadline) throw new Error(`no end: ${JSON.stringify(last)}\n${kernel.output()}`)
      await sleep(20)
    }
  }
  async function killed(between: () => Promise<void> = async () => undefined): Promise<void> {
    await kernel.end('SIGKILL')
    await between()
    kernel = await start()
  }
  return {
    ...processes,
    gate,
    kernel: () => kernel,
    tenant,
    ask,
    killed,
    ended,
    async killedAt(step, kind, body) {
      await gate.close(step)
      ask(kind, body)
      await gate.reached()
      await killed(gate.open)
      return ended()
    },
    async carriedOut(kind, body) {
      const { rows } = await database.admin.query('SELECT FROM kernel.plugin_operation')
      ask(kind, body)
      for (;;) {
        const { rowCount } = await database.admin.query('SELECT FROM kernel.plugin_operation')
        if (rowCount !== rows.length) return ended()
        await sleep(20)
      }
    },
    get: (path) => tenant.at(kernel.url)('GET', path),
    post: (path, body) => tenant.at(kernel.url)('POST', path, body),
  }
}
