// What an operator can do to the plugins of an installation while it runs. Everything that takes more than one change is
// an operation: begun here, carried out by drive-operations.ts.
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { originOf } from '../audit/write-audit.ts'
import { errors } from '../errors.ts'
import { readVersions } from '../registry/plugin-store.ts'
import { refuseCanaryOfNobody } from './canary.ts'
import { driveOperations, type Steps } from './drive-operations.ts'
import { fetchStep } from './fetch-step.ts'
import { installed, type LifecycleParts } from './lifecycle-parts.ts'
import {
  cancelCanary,
  insertOperation,
  listOperations,
  type Operation,
  type OperationKind,
  type OperationOptions,
  readOperation,
} from './operation.ts'
import { type ChangePlan, planChange } from './plan-change.ts'
import { closeStep, dropStep, forgetStep, refuseRemoval, refuseWhileNeeded } from './remove-steps.ts'
import { activateStep, canaryStep, checkRollbackStep, switchStep } from './serve-steps.ts'
import { holdStep, migrateStep } from './table-steps.ts'

export interface ChangeRequest {
  readonly kind: OperationKind
  readonly module?: string
  readonly package?: string
  readonly version?: string
  readonly options: OperationOptions
}

export interface AskedBy {
  readonly operator: string
  readonly requestId: string
  readonly address?: string
  readonly agent?: string
  readonly traceparent?: string
}

export interface Lifecycle {
  /** What would happen. Changes nothing. */
  plan(request: ChangeRequest): Promise<ChangePlan>
  /** Begins the operation, and waits a moment for it to end. */
  begin(request: ChangeRequest, by: AskedBy): Promise<Operation>
  operation(id: string): Promise<Operation>
  /** Takes back a canary that goes on. @throws OPERATION_NOT_FOUND, PLUGIN_CHANGE_REFUSED */
  cancel(id: string, by: AskedBy): Promise<Operation>
  operations(options: {
    readonly limit: number
    readonly before?: string
    readonly module?: string
  }): Promise<Operation[]>
  /** Carries on with what is unfinished, and looks for more from now on. */
  start(): void
  close(): Promise<void>
}

/** Most operations end within it; a client polls for the others. */
const answerWithinMs = 1_000

export function createLifecycle(parts: LifecycleParts): Lifecycle {
  const steps: Steps = {
    install: [fetchStep(parts), migrateStep(parts), activateStep(parts)],
    upgrade: [fetchStep(parts), holdStep(parts), migrateStep(parts), canaryStep(parts), activateStep(parts)],
    rollback: [checkRollbackStep(parts), activateStep(parts)],
    disable: [switchStep(parts, 'disabled')],
    enable: [switchStep(parts, 'active')],
    remove: [closeStep(parts), dropStep(parts), forgetStep(parts)],
  }
  const driver = driveOperations(parts, steps)

  /** What can be said at once is said at once, and not by an operation that fails a moment later. */
  async function refuseHopeless(request: ChangeRequest): Promise<void> {
    const { kind, module, version, options } = request
    if (kind === 'install' || module === undefined) return
    const row = await installed(parts, module)
    if (kind === 'remove') await refuseRemoval(parts, module, options.force === true)
    if (kind === 'disable') refuseWhileNeeded(parts, module)
    if (kind === 'rollback' && version === undefined && row.previous === null) {
      throw errors.pluginChange({
        module,
        reason: `'${module}' has no version before ${row.stable} to go back to.`,
      })
    }
    if (kind === 'rollback' && version !== undefined) {
      const versions = await readVersions(parts.pool, module)
      if (!versions.some((one) => one.version === version)) throw errors.versionNotFound({ module, version })
    }
  }

  return {
    async plan(request) {
      await refuseCanaryOfNobody(parts, request.options.canary)
      return planChange(parts, request)
    },
    async begin(request, by) {
      await refuseCanaryOfNobody(parts, request.options.canary)
      await refuseHopeless(request)
      const id = randomUUID()
      const { kind, module = null, package: name = null, version = null, options } = request
      await insertOperation(parts.pool, {
        id,
        kind,
        module,
        package: name,
        version,
        options,
        startedBy: by.operator,
        requestId: by.requestId,
        origin: originOf(by),
      }).catch((error: unknown) => {
        const isSecond = error instanceof pg.DatabaseError && error.code === '23505'
        throw isSecond ? errors.operationUnderWay({ subject: module ?? name ?? '' }) : error
      })
      driver.wake()
      const operation = await driver.ended(id, answerWithinMs)
      if (!operation) throw errors.operationNotFound({ id })
      return operation
    },
    async operation(id) {
      const operation = await readOperation(parts.pool, id)
      if (!operation) throw errors.operationNotFound({ id })
      return operation
    },
    async cancel(id, by) {
      const operation = await readOperation(parts.pool, id)
      if (!operation) throw errors.operationNotFound({ id })
      if (!(await cancelCanary(parts.pool, id, { ...by, origin: originOf(by) })))
        throw errors.pluginChange({
          module: operation.module ?? '',
          reason: 'Only an operation that waits for its canary can be cancelled.',
        })
      driver.wake()
      return (await driver.ended(id, answerWithinMs)) ?? operation
    },
    operations: (options) => listOperations(parts.pool, options),
    start: () => driver.start(),
    close: () => driver.close(),
  }
}
