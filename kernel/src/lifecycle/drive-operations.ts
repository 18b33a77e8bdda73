// Carries operations out, step by step, one process at a time for each: a lock that ends with the process says who. What
// a dead process left is found and continued; a step that fails has everything before it undone.
import pg from 'pg'
import { isPlinthError } from '../errors.ts'
import type { LifecycleParts } from './lifecycle-parts.ts'
import {
  type Operation,
  type OperationKind,
  readOperation,
  saveProgress,
  unfinishedOperations,
} from './operation.ts'

/** Either half may run again after it was done: the process can end between the deed and its note. */
export interface Step {
  readonly name: string
  /** What it gives is added to the operation's data. */
  run(operation: Operation, signal: AbortSignal): Promise<Readonly<Record<string, unknown>> | undefined>
  undo?(operation: Operation): Promise<void>
  /** Where there is no way back any more: how often it is tried again before it is undone. None unless said. */
  tries?(operation: Operation): number | Promise<number>
}

export type Steps = Readonly<Record<OperationKind, readonly Step[]>>

export interface OperationDriver {
  start(): void
  /** Looks for work now. */
  wake(): void
  /** Resolves when the operation has ended, or when `ms` are over. */
  ended(id: string, ms: number): Promise<Operation | undefined>
  close(): Promise<void>
}

const pollMs = 2_000
const lookMs = 50
/** A minute of them, every `pollMs`: then an operator is told what is left, and can do something else with the module. */
const mostUndoTries = 30
/** In one process. Canaries, which wait for long, are not counted. */
const mostAtOnce = 8
/** 'life' in bytes. */
const lockSpace = 0x6c69_6665

export function driveOperations(parts: LifecycleParts, steps: Steps): OperationDriver {
  const { pool, log } = parts
  const driving = new Map<string, Promise<void>>()
  const closing = new AbortController()

  async function look(): Promise<void> {
    const unfinished = await unfinishedOperations(pool)
    const canaries = new Set(unfinished.flatMap((one) => (one.isCanary ? [one.id] : [])))
    const isBusy = () => [...driving.keys()].filter((id) => !canaries.has(id)).length >= mostAtOnce
    for (const { id, isCanary } of unfinished) {
      if (driving.has(id) || (!isCanary && isBusy()) || closing.signal.aborted) continue
      const driven = underLock(id)
        .catch((error: unknown) => log.error({ err: error, operation: id }, 'an operation was interrupted'))
        .finally(() => driving.delete(id))
      driving.set(id, driven)
    }
  }

  function wake(): void {
    if (closing.signal.aborted) return
    look().catch((error: unknown) => log.warn({ err: error }, 'operations could not be looked for'))
  }

  /** On a connection of its own: the lock goes when that goes, and so does the right to carry on. */
  async function underLock(id: string): Promise<void> {
    const client = new pg.Client({ ...parts.connection, application_name: 'plinth-lifecycle' })
    const lost = new AbortController()
    client.on('error', () => lost.abort())
    client.on('end', () => lost.abort())
    await client.connect()
    try {
      const { rows } = await client.query<{ mine: boolean }>(
        'SELECT pg_try_advisory_lock($1, hashtext($2)) AS mine',
        [lockSpace, id],
      )
      if (!rows[0]?.mine) return
      const operation = await readOperation(pool, id)
      if (operation) await drive(operation, AbortSignal.any([closing.signal, lost.signal]))
    } finally {
      await client.end().catch(() => undefined)
    }
  }

  async function drive(found: Operation, signal: AbortSignal): Promise<void> {
    const list = steps[found.kind]
    let operation = found
    const save = async (changed: Partial<Operation>) => {
      operation = { ...operation, ...changed }
      const isSaved = await saveProgress(pool, operation)
      if (!isSaved) operation = (await readOperation(pool, operation.id)) ?? operation
    }
    while (operation.state === 'running') {
      signal.throwIfAborted()
      const step = list.find((one) => !operation.done.includes(one.name))
      if (!step) {
        await save({ state: 'succeeded' })
        break
      }
      log.info({ operation: operation.id, kind: operation.kind, step: step.name }, 'a step of an operation')
      const outcome = await step.run(operation, signal).then(
        (data) => ({ data }),
        (error: unknown) => ({ error }),
      )
      // Who has lost the lock has lost the right to say how it went.
      signal.throwIfAborted()
      // Steps write into the row as well: what they note commits with what they change.
      operation = (await readOperation(pool, operation.id)) ?? operation
      if ('data' in outcome) {
        const data = { ...operation.data, ...outcome.data, tries: undefined }
        await save({ done: [...operation.done, step.name], data, error: null })
        continue
      }
      // It was cancelled: that is why.
      if (operation.state !== 'running') continue
      const tries = Number(operation.data['tries'] ?? 0) + 1
      const error = failureOf(outcome.error)
      log.warn(
        { err: outcome.error, operation: operation.id, step: step.name },
        'a step of an operation failed',
      )
      if (tries < ((await step.tries?.(operation)) ?? 0)) {
        await save({ error, data: { ...operation.data, tries } })
        throw outcome.error
      }
      await save({ state: 'undoing', error })
    }
    if (operation.state === 'undoing') {
      // The step that failed comes first: it may have been done in part.
      const begun = list.slice(0, operation.done.length + 1)
      const left: string[] = []
      for (const step of begun.reverse()) {
        signal.throwIfAborted()
        await step.undo?.(operation).catch(async (error: unknown) => {
          signal.throwIfAborted()
          const undoTries = Number(operation.data['undoTries'] ?? 0) + 1
          log.warn(
            { err: error, operation: operation.id, step: step.name, undoTries },
            'a step was not undone',
          )
          if (undoTries >= mostUndoTries) return void left.push(step.name)
          await save({ data: { ...operation.data, undoTries } })
          throw error
        })
      }
      signal.throwIfAborted()
      const code = operation.error?.code ?? 'OPERATION_FAILED'
      const message =
        `${operation.error?.message ?? ''} Not undone, look at the log: ${left.join(', ')}.`.trim()
      await save({ state: 'failed', ...(left.length > 0 ? { error: { code, message } } : {}) })
    }
    log.info(
      { operation: operation.id, kind: operation.kind, state: operation.state },
      'an operation has ended',
    )
  }

  let timer: NodeJS.Timeout | undefined

  return {
    start() {
      timer = setInterval(wake, pollMs)
      timer.unref()
      wake()
    },
    wake,
    async ended(id, ms) {
      const until = performance.now() + ms
      for (;;) {
        const operation = await readOperation(pool, id)
        const isOver = operation?.state === 'succeeded' || operation?.state === 'failed'
        if (isOver || performance.now() >= until) return operation
        await new Promise((resolve) => setTimeout(resolve, lookMs))
      }
    },
    async close() {
      clearInterval(timer)
      closing.abort(new Error('the kernel is closing'))
      await Promise.all(driving.values())
    },
  }
}

/** Sentences of ours and of the packages' refusals; of anything else only that it happened. */
function failureOf(error: unknown): NonNullable<Operation['error']> {
  if (isPlinthError(error)) return { code: error.code, message: error.message }
  const said = error instanceof Error ? error.message : String(error)
  return { code: 'OPERATION_FAILED', message: said.slice(0, 2_000) }
}
