// What people do with jobs: have one done, cancel one, have one that was given up tried again. Each with its audit row, in
// one transaction.

import type { AuditedBy } from '../audit/write-audit.ts'
import {
  type EnqueueOptions,
  insertJob,
  jobSpecOf,
  parseJobInput,
  refuseWhenFull,
} from '../broker/enqueue-job.ts'
import { isDatabaseFailure } from '../data/database-failure.ts'
import { errors } from '../errors.ts'
import type { LoadedPlugin } from '../registry/load-plugin.ts'
import type { ControlTransaction } from '../tenants/control-transaction.ts'
import { isJobId, type JobRow, type JobState, type JobView, jobColumns, jobOf } from './job-rows.ts'

interface By extends AuditedBy {
  readonly tenantId: string
}

const noted = (tx: ControlTransaction, by: By, { id, module, job }: JobView, action: string) =>
  tx.audit({ ...by, entity: 'job', recordId: id, action, after: { module, job } })

async function find(tx: ControlTransaction, tenant: string, id: string): Promise<JobView> {
  const rows = isJobId(id)
    ? await tx.query<JobRow>(
        `SELECT ${jobColumns} FROM kernel.task WHERE tenant_id = $1 AND id = $2 AND kind = 'job' FOR UPDATE`,
        [tenant, id],
      )
    : []
  if (!rows[0]) throw errors.jobNotFound({ id })
  return jobOf(rows[0])
}

async function change(
  tx: ControlTransaction,
  tenant: string,
  id: string,
  set: string,
  values: unknown[] = [],
) {
  const rows = await tx.query<JobRow>(
    `UPDATE kernel.task SET ${set} WHERE tenant_id = $1 AND id = $2 RETURNING ${jobColumns}`,
    [tenant, id, ...values],
  )
  if (!rows[0]) throw errors.jobNotFound({ id })
  return jobOf(rows[0])
}

const ended: readonly JobState[] = ['done', 'dead', 'cancelled', 'skipped']

/** One that waits is cancelled; one that runs is asked to end. @throws JOB_NOT_FOUND, JOB_ENDED */
export async function cancelJob(tx: ControlTransaction, by: By, id: string): Promise<JobView> {
  const before = await find(tx, by.tenantId, id)
  if (before.cancelAskedAt !== undefined && before.state === 'running') return before
  if (ended.includes(before.state)) throw errors.jobEnded({ id, state: before.state })
  const job = await change(
    tx,
    by.tenantId,
    id,
    before.state === 'waiting'
      ? `state = 'cancelled', cancel_asked_at = now(), ended_at = now()`
      : 'cancel_asked_at = now()',
  )
  await noted(tx, by, job, 'cancelled')
  return job
}

/** unique_violation */
const isTaken = (error: unknown): boolean => isDatabaseFailure(error) && error.code === '23505'

/**
 * As many attempts again as it had; counted on, for an attempt that was given up may still be under way somewhere, and
 * must not be taken for one of these. @throws JOB_NOT_FOUND, JOB_NOT_DEAD, JOB_PENDING
 */
export async function retryJob(
  tx: ControlTransaction,
  by: By,
  id: string,
  attempts: number,
): Promise<JobView> {
  const before = await find(tx, by.tenantId, id)
  if (before.state !== 'dead' && before.state !== 'cancelled')
    throw errors.jobNotDead({ id, state: before.state })
  const job = await change(
    tx,
    by.tenantId,
    id,
    `state = 'waiting', ready = true, run_at = now(), attempts_max = attempt + $3, ended_at = NULL, cancel_asked_at = NULL,
     progress = NULL, progress_note = NULL`,
    [attempts],
  ).catch((error: unknown) => {
    throw isTaken(error) ? errors.jobPending({ id }) : error
  })
  await noted(tx, by, job, 'retried')
  return job
}

export interface RunBody {
  readonly input?: unknown
  readonly options: EnqueueOptions
}

/** @throws JOB_UNKNOWN, VALIDATION_FAILED, LIMIT_EXCEEDED */
export async function runJobByHand(
  tx: ControlTransaction,
  by: By,
  plugin: Pick<LoadedPlugin, 'manifest'>,
  job: string,
  { input = {}, options }: RunBody,
): Promise<{ job: JobView; isNew: boolean }> {
  const spec = jobSpecOf(plugin, job)
  const parsed = parseJobInput(spec, input)
  const { name: module } = plugin.manifest
  const ask = async (text: string, values: readonly unknown[]) =>
    (await tx.query<Record<string, unknown>>(text, values)).map((row) => Object.values(row)[0])
  await refuseWhenFull(ask, by.tenantId, module)
  const { id, isNew } = await insertJob(ask, {
    tenant: by.tenantId,
    module,
    job,
    input: parsed,
    attempts: spec.attempts,
    options,
    actor: by.actorId,
    onBehalfOf: by.onBehalfOf,
    requestId: by.requestId,
    traceparent: by.origin?.traceparent,
  })
  const [row] = await tx.query<JobRow>(
    `SELECT ${jobColumns} FROM kernel.task WHERE tenant_id = $1 AND id = $2`,
    [by.tenantId, id],
  )
  if (!row) throw errors.jobNotFound({ id })
  const view = jobOf(row)
  if (isNew) await noted(tx, by, view, 'run')
  return { job: view, isNew }
}
