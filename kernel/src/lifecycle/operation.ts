// What an operator has asked for: one row of kernel.plugin_operation, with how far it has come. It outlives the process
// that began it; another one goes on from the last step that was done.
import type pg from 'pg'
import { aboveTenants } from '../audit/write-audit.ts'
import type { AuditOrigin } from '../data/audit-outbox.ts'

export type OperationKind = 'install' | 'upgrade' | 'rollback' | 'disable' | 'enable' | 'remove'
export type OperationState = 'running' | 'undoing' | 'succeeded' | 'failed'

/** Some tenants first. It takes itself back when more than `errorRate` of at least `minRequests` answers are 5xx. */
export interface CanaryOptions {
  readonly percent?: number
  /** Slugs or ids. */
  readonly tenants?: readonly string[]
  readonly minutes: number
  readonly errorRate?: number
  readonly minRequests?: number
}

export interface OperationOptions {
  readonly integrity?: string
  readonly channel?: 'stable' | 'beta'
  readonly canary?: CanaryOptions
  /** Also when tenants have the module enabled: it is switched off for them. */
  readonly force?: boolean
}

export interface Operation {
  readonly id: string
  readonly kind: OperationKind
  readonly module: string | null
  readonly package: string | null
  readonly version: string | null
  readonly options: OperationOptions
  readonly state: OperationState
  /** Names of the steps that are done, in order. */
  readonly done: readonly string[]
  /** What steps found out for later ones, and at the end for whoever asked: the receipt of a removal, for one. */
  readonly data: Readonly<Record<string, unknown>>
  readonly error: { readonly code: string; readonly message: string } | null
  readonly startedBy: string
  readonly requestId: string
  readonly createdAt: Date
  readonly updatedAt: Date
}

type Queryable = Pick<pg.Pool, 'query'>

/** The three columns of an AuditOrigin, which is a parameter of the statement. */
const originValues = (parameter: string): string =>
  `${parameter}::jsonb->>'address', ${parameter}::jsonb->>'agent', split_part(${parameter}::jsonb->>'traceparent', '-', 2)`

const columns = `id, kind, module, package, version, options, state, done, data, error, started_by AS "startedBy",
  request_id AS "requestId", created_at AS "createdAt", updated_at AS "updatedAt"`

export async function readOperation(database: Queryable, id: string): Promise<Operation | undefined> {
  const { rows } = await database.query<Operation>(
    `SELECT ${columns} FROM kernel.plugin_operation WHERE id = $1`,
    [id],
  )
  return rows[0]
}

/** Newest first. `before` is the id of the last one of the page before. */
export async function listOperations(
  database: Queryable,
  options: { readonly limit: number; readonly before?: string; readonly module?: string },
): Promise<Operation[]> {
  const { rows } = await database.query<Operation>(
    `SELECT ${columns} FROM kernel.plugin_operation
      WHERE ($2::uuid IS NULL OR (created_at, id) < (SELECT created_at, id FROM kernel.plugin_operation WHERE id = $2))
        AND ($3::text IS NULL OR module = $3)
      ORDER BY created_at DESC, id DESC LIMIT $1`,
    [options.limit, options.before ?? null, options.module ?? null],
  )
  return rows
}

export async function unfinishedOperations(
  database: Queryable,
): Promise<{ readonly id: string; readonly isCanary: boolean }[]> {
  const { rows } = await database.query<{ id: string; isCanary: boolean }>(
    `SELECT id, options ? 'canary' AND data ? 'canaryStarted' AND NOT 'canary' = ANY(done) AND state = 'running' AS "isCanary"
       FROM kernel.plugin_operation WHERE state IN ('running', 'undoing') ORDER BY "isCanary", created_at LIMIT 50`,
  )
  return rows
}

export async function insertOperation(
  database: Queryable,
  operation: Pick<
    Operation,
    'id' | 'kind' | 'module' | 'package' | 'version' | 'options' | 'startedBy' | 'requestId'
  > & { readonly origin?: AuditOrigin },
): Promise<void> {
  await database.query(
    `WITH begun AS (
       INSERT INTO kernel.plugin_operation (id, kind, module, package, version, options, state, started_by, request_id)
       VALUES ($1, $2, $3, $4, $5, $6, 'running', $7, $8) RETURNING *)
     INSERT INTO kernel.audit (tenant_id, actor, request_id, address, agent, trace_id, module, entity, record_id, action, after)
     SELECT '${aboveTenants}', started_by, request_id, ${originValues('$9')}, 'kernel', 'plugin', coalesce(module, package), kind,
            jsonb_build_object('operation', id, 'version', version, 'options', options) FROM begun`,
    [
      operation.id,
      operation.kind,
      operation.module,
      operation.package,
      operation.version,
      JSON.stringify(operation.options),
      operation.startedBy,
      operation.requestId,
      JSON.stringify(operation.origin ?? {}),
    ],
  )
}

/** What a step finds before it changes it, noted with the change: a second run would find its own work. */
export async function remember(
  database: Queryable,
  { id }: Pick<Operation, 'id'>,
  found: Readonly<Record<string, unknown>>,
): Promise<void> {
  await database.query('UPDATE kernel.plugin_operation SET data = $2::jsonb || data WHERE id = $1', [
    id,
    JSON.stringify(found),
  ])
}

/** Takes a canary back before its time. False when the operation is not waiting for one. */
export async function cancelCanary(
  database: Queryable,
  id: string,
  by: { readonly operator: string; readonly requestId: string; readonly origin?: AuditOrigin },
): Promise<boolean> {
  const error = { code: 'OPERATION_CANCELLED', message: `The canary was cancelled by ${by.operator}.` }
  const { rowCount } = await database.query(
    `WITH cancelled AS (
     UPDATE kernel.plugin_operation SET state = 'undoing', error = $2, updated_at = now()
      WHERE id = $1 AND kind = 'upgrade' AND state = 'running' AND options ? 'canary'
        AND 'migrate' = ANY(done) AND NOT 'canary' = ANY(done) AND data ? 'canaryStarted' RETURNING id, module)
     INSERT INTO kernel.audit (tenant_id, actor, request_id, address, agent, trace_id, module, entity, record_id, action, after)
     SELECT '${aboveTenants}', $3, $4, ${originValues('$5')}, 'kernel', 'plugin', module, 'cancel', jsonb_build_object('operation', id) FROM cancelled`,
    [id, JSON.stringify(error), by.operator, by.requestId, JSON.stringify(by.origin ?? {})],
  )
  return rowCount !== 0
}

/** The steps that are done and what they found out. False when it was cancelled meanwhile: then nothing is written. */
export async function saveProgress(
  database: Queryable,
  operation: Pick<Operation, 'id' | 'state' | 'done' | 'data' | 'error'>,
): Promise<boolean> {
  const { rowCount } = await database.query(
    `UPDATE kernel.plugin_operation SET state = $2, done = $3, data = $4, error = $5, updated_at = now()
      WHERE id = $1 AND (state = 'running' OR $2 <> 'running')`,
    [
      operation.id,
      operation.state,
      operation.done,
      JSON.stringify(operation.data),
      operation.error === null ? null : JSON.stringify(operation.error),
    ],
  )
  return rowCount !== 0
}
