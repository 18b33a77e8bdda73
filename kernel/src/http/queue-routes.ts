// /v1/operator/queues, tasks and pauses: what there is to do, what was given up, and what is held back.
import type pg from 'pg'
import { aboveTenants, auditedBy } from '../audit/write-audit.ts'
import { errors } from '../errors.ts'
import { getTask, listTasks, type TaskFilter } from '../queue/find-tasks.ts'
import { listPauses, type Pause, type Paused, pause, resume } from '../queue/pauses.ts'
import { queueSnapshot, tenantFigures } from '../queue/queue-figures.ts'
import { type Settlement, settleTask, settleTasks } from '../queue/settle-tasks.ts'
import type { TaskView } from '../queue/task-view.ts'
import type { Operated } from '../stages.ts'
import type { ControlTransaction, RunControl } from '../tenants/control-transaction.ts'
import type { TenantDirectory } from '../tenants/tenant-directory.ts'
import type { Instance } from './create-instance.ts'
import { keepingAnswer } from './keeping-answer.ts'
import { atRung, type Ladder } from './ladder.ts'
import {
  type PauseBody,
  pauseBody,
  pauseParams,
  pauseShape,
  type QueueTenantsQuery,
  queuesShape,
  queueTenantsQuery,
  type SettleBody,
  settleBody,
  settledShape,
  type TasksQuery,
  taskParams,
  taskShape,
  tasksQuery,
  tenantFiguresShape,
} from './queue-schemas.ts'
import { listOf, problemResponses } from './schemas.ts'

const tags = ['Operator']

export interface QueueRouteParts {
  readonly pool: pg.Pool
  readonly runControl: RunControl
  readonly directory: Pick<TenantDirectory, 'find'>
  /** A module of this installation. */
  readonly hasModule: (module: string) => boolean
}

export function queueRoutes(app: Instance, ladder: Ladder, parts: QueueRouteParts): void {
  figureRoutes(app, ladder, parts)
  taskRoutes(app, ladder, parts)
  pauseRoutes(app, ladder, parts)
}

/** @throws TENANT_NOT_FOUND */
async function idOf({ directory }: QueueRouteParts, name: string): Promise<string> {
  const tenant = await directory.find(name.toLowerCase())
  if (!tenant) throw errors.tenantNotFound({ tenant: name })
  return tenant.id
}

/** The tenant by its id, where it is named. */
async function filterOf<F extends { tenant?: string }>(parts: QueueRouteParts, filter: F): Promise<F> {
  return filter.tenant === undefined ? filter : { ...filter, tenant: await idOf(parts, filter.tenant) }
}

function figureRoutes(app: Instance, ladder: Ladder, { pool }: QueueRouteParts): void {
  app.route({
    method: 'GET',
    url: '/v1/operator/queues',
    schema: {
      tags,
      summary: 'What there is to do, by queue',
      response: { 200: queuesShape, ...problemResponses },
    },
    ...atRung(ladder.operated, async () => {
      const { queues, outbox } = await queueSnapshot(pool)
      return { items: queues, outbox }
    }),
  })
  app.route({
    method: 'GET',
    url: '/v1/operator/queues/tenants',
    schema: {
      tags,
      summary: 'The tenants with most to do',
      querystring: queueTenantsQuery,
      response: { 200: listOf(tenantFiguresShape), ...problemResponses },
    },
    ...atRung(ladder.operated, async (_stage, request) => {
      const { queue, limit = '50' } = request.query as QueueTenantsQuery
      const items = await tenantFigures(pool, {
        limit: Number(limit),
        ...(queue === undefined ? {} : { queue }),
      })
      return { items }
    }),
  })
}

function taskRoutes(app: Instance, ladder: Ladder, parts: QueueRouteParts): void {
  const { pool, runControl } = parts
  app.route({
    method: 'GET',
    url: '/v1/operator/tasks',
    schema: {
      tags,
      summary: 'Tasks, newest first, without what they hold',
      querystring: tasksQuery,
      response: { 200: listOf(taskShape), ...problemResponses },
    },
    ...atRung(ladder.operated, async (_stage, request) => {
      const { limit = '50', cursor, ...filter } = request.query as TasksQuery
      return listTasks(pool, await filterOf(parts, filter), {
        limit: Number(limit),
        ...(cursor === undefined ? {} : { cursor }),
      })
    }),
  })
  app.route({
    method: 'GET',
    url: '/v1/operator/tasks/:tenant/:id',
    schema: {
      tags,
      summary: 'One task',
      params: taskParams,
      response: { 200: taskShape, ...problemResponses },
    },
    ...atRung(ladder.operated, async (_stage, request) => {
      const { tenant, id } = request.params as { tenant: string; id: string }
      return getTask(pool, { tenant: await idOf(parts, tenant), id })
    }),
  })

  /** What is decided, with its row in the trail of whoever it concerns: a tenant, or the installation. */
  const settling = (what: Settlement, done: string, words: { one: string; all: string }) => {
    app.route({
      method: 'POST',
      url: `/v1/operator/tasks/:tenant/:id/${what}`,
      schema: {
        tags,
        summary: words.one,
        params: taskParams,
        response: { 200: taskShape, ...problemResponses },
      },
      ...keepingAnswer(ladder.operated, runControl, async (stage, request, keep) => {
        const { tenant: name, id } = request.params as { tenant: string; id: string }
        const tenantId = await idOf(parts, name)
        const settle = async (tx: ControlTransaction) => {
          const task = await settleTask(tx, what, { tenant: tenantId, id })
          const after = { queue: task.queue, name: task.name }
          await tx.audit({ tenantId, ...auditedBy(stage), entity: 'task', recordId: id, action: done, after })
          return task
        }
        return keep(
          (run) => run(settle),
          (body: TaskView) => ({ body }),
        )
      }),
    })
    app.route({
      method: 'POST',
      url: `/v1/operator/tasks/${what}`,
      schema: {
        tags,
        summary: words.all,
        body: settleBody,
        response: { 200: settledShape, ...problemResponses },
      },
      ...keepingAnswer(ladder.operated, runControl, async (stage, request, keep) => {
        const filter: Omit<TaskFilter, 'state'> = await filterOf(parts, request.body as SettleBody)
        const settle = async (tx: ControlTransaction) => {
          const tasks = await settleTasks(tx, what, filter)
          await tx.audit({
            tenantId: filter.tenant ?? aboveTenants,
            ...auditedBy(stage),
            entity: 'task',
            recordId: '*',
            action: done,
            after: { ...filter, tasks },
          })
          return { tasks }
        }
        return keep(
          (run) => run(settle),
          (body: object) => ({ body }),
        )
      }),
    })
  }
  settling('retry', 'retried', {
    one: 'Does a task that was given up once more',
    all: 'Does tasks that were given up once more',
  })
  settling('discard', 'discarded', {
    one: 'Does without a task that was given up, or that waits',
    all: 'Does without tasks that were given up',
  })
}

function pauseRoutes(app: Instance, ladder: Ladder, parts: QueueRouteParts): void {
  const { runControl, hasModule } = parts
  const record = (stage: Operated, action: string, { id, tenant = aboveTenants, module, reason }: Pause) => ({
    tenantId: tenant,
    ...auditedBy(stage),
    entity: 'pause',
    recordId: id,
    action,
    after: { ...(module === undefined ? {} : { module }), ...(reason === undefined ? {} : { reason }) },
  })

  app.route({
    method: 'GET',
    url: '/v1/operator/pauses',
    schema: {
      tags,
      summary: 'What is held back',
      response: { 200: listOf(pauseShape), ...problemResponses },
    },
    ...atRung(ladder.operated, async () => ({ items: await runControl(listPauses) })),
  })
  app.route({
    method: 'POST',
    url: '/v1/operator/pauses',
    schema: {
      tags,
      summary: 'Holds back the tasks of a module, of a tenant, or of one in the other',
      body: pauseBody,
      response: { 200: pauseShape, 201: pauseShape, ...problemResponses },
    },
    ...keepingAnswer(ladder.operated, runControl, async (stage, request, keep) => {
      const body = await filterOf(parts, request.body as PauseBody)
      if (body.module !== undefined && !hasModule(body.module))
        throw errors.moduleNotFound({ module: body.module })
      const add = async (tx: ControlTransaction) => {
        const result = await pause(tx, body, stage.operator)
        if (result.isNew) await tx.audit(record(stage, 'paused', result.pause))
        return result
      }
      return keep(
        (run) => run(add),
        ({ pause: made, isNew }: Paused) => ({
          status: isNew ? 201 : 200,
          body: made,
        }),
      )
    }),
  })
  app.route({
    method: 'DELETE',
    url: '/v1/operator/pauses/:id',
    schema: {
      tags,
      summary: 'Goes on with what was held back',
      params: pauseParams,
      response: { 204: { description: 'Goes on.', type: 'null' }, ...problemResponses },
    },
    ...atRung(ladder.operated, async (stage, request, reply) => {
      const { id } = request.params as { id: string }
      await runControl(async (tx) => tx.audit(record(stage, 'resumed', await resume(tx, id))))
      return reply.code(204).send()
    }),
  })
}
