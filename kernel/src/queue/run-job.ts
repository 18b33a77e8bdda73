// A module does one of its jobs: in the sandbox with the module's own right, in the name of whoever had it done, and in one
// transaction with the mark that it is done.
import type { Json } from '@plinth/sdk'
import type pg from 'pg'
import { jobSpecOf } from '../broker/enqueue-job.ts'
import type { WorkingJob } from '../broker/work.ts'
import { parseFields } from '../data/field-kinds/parse-fields.ts'
import type { TaskInHand } from '../data/task-done.ts'
import { errors } from '../errors.ts'
import type { WithWork } from '../http/module-parts.ts'
import type { LoadedPlugin } from '../registry/load-plugin.ts'
import type { RunTask } from './run-task.ts'
import type { Task } from './task.ts'
import type { TaskStage } from './task-stage.ts'

export interface RunJobParts {
  readonly pool: Pick<pg.Pool, 'query'>
  readonly stageOf: TaskStage
  readonly withWork: WithWork
  readonly enter: (plugin: LoadedPlugin) => () => void
}

const resultBytes = 64 * 1024
/** Between two looks whether somebody has asked to cancel it. */
const lookMs = 500

const say = `
  UPDATE kernel.task SET progress = $4, progress_note = $5
   WHERE tenant_id = $1 AND id = $2 AND attempt = $3 AND state = 'running'
  RETURNING cancel_asked_at IS NOT NULL AS cancelled`
const look = `
  SELECT cancel_asked_at IS NOT NULL AS cancelled FROM kernel.task
   WHERE tenant_id = $1 AND id = $2 AND attempt = $3 AND state = 'running'`

interface Answer {
  cancelled: boolean
}

/** The job as its handler knows it, on a connection that is not its transaction's. */
function workingJob(pool: RunJobParts['pool'], task: Task): WorkingJob {
  const key = [task.tenant, task.id, task.attempt]
  let lookedAt = performance.now()

  const judge = (rows: readonly Answer[]) => {
    const [row] = rows
    // Its lease ended, and it is another's by now.
    if (!row) throw errors.taskTaken({})
    if (row.cancelled) throw errors.jobCancelled({ id: String(task.id) })
    lookedAt = performance.now()
  }

  return {
    id: String(task.id),
    module: task.module,
    attempt: task.attempt,
    async goOn() {
      if (performance.now() - lookedAt < lookMs) return
      judge((await pool.query<Answer>(look, key)).rows)
    },
    async progress(fraction, note) {
      const text = note?.replaceAll('\0', '') ?? null
      judge((await pool.query<Answer>(say, [...key, fraction, text])).rows)
    },
  }
}

function boundedResult(module: string, text: string): Json {
  const used = Buffer.byteLength(text)
  if (used > resultBytes) throw errors.limitExceeded({ module, limit: 'jobResult', used, cap: resultBytes })
  return JSON.parse(text)
}

export function jobRunner({ pool, stageOf, withWork, enter }: RunJobParts): RunTask {
  return async (task) => {
    const stage = await stageOf(task, `job:${task.id}`)
    const { plugin } = stage
    // Of another version than the one that enqueued it, perhaps.
    const input = parseFields(jobSpecOf(plugin, task.name).input, task.input ?? {})
    const inHand: TaskInHand = { id: task.id, attempt: task.attempt, depth: task.depth }
    const leave = enter(plugin)
    try {
      await withWork(
        { ...stage, task: inHand, job: workingJob(pool, task) },
        async (work) => {
          const text = await work.runText({ kind: 'job', job: task.name }, input)
          inHand.result = boundedResult(task.module, text)
        },
        { entersPlugin: true },
      )
    } finally {
      leave()
    }
  }
}
