// /v1/tenant/jobs: what the tenant's modules do in the background. Who had a job done sees his own and may cancel it; the
// rest takes permissions of the tenant.
import type { FastifyReply, FastifyRequest } from 'fastify'
import type pg from 'pg'
import { auditedBy } from '../audit/write-audit.ts'
import type { DefencesOff } from '../defences.ts'
import { enabledPlugin } from '../entitlements/check-entitlement.ts'
import { errors } from '../errors.ts'
import { isInScopes } from '../permissions/scopes.ts'
import { holdsTenantPermission, requireTenantPermission } from '../permissions/tenant-permissions.ts'
import { cancelJob, retryJob, runJobByHand } from '../queue/job-acts.ts'
import { type JobView, jobEtag, listJobs, readJob } from '../queue/job-rows.ts'
import type { Lane } from '../queue/task.ts'
import type { PluginRegistry } from '../registry/plugin-registry.ts'
import type { Located } from '../stages.ts'
import type { RunControl } from '../tenants/control-transaction.ts'
import { jsonTextAnswer, sendAnswer } from './answer.ts'
import type { Instance } from './create-instance.ts'
import { hasAlready } from './etag.ts'
import { keeping } from './hygiene/keeping.ts'
import { jobScheduleRoutes } from './job-schedule-routes.ts'
import {
  type JobQueryString,
  type JobsQuery,
  jobParams,
  jobQuery,
  jobShape,
  jobsQuery,
  namedJobParams,
  type RunJobBody,
  runJobBody,
} from './job-schemas.ts'
import { atRung, type Ladder } from './ladder.ts'
import { listOf, problemResponses, tenantHeader } from './schemas.ts'
import { createWatching } from './wait-for-change.ts'

export interface JobRouteParts {
  readonly pool: pg.Pool
  readonly runControl: RunControl
  readonly registry: Pick<PluginRegistry, 'served' | 'pluginFor'>
  readonly isClosing: () => boolean
  /** Tasks were committed. */
  readonly tasksAdded: (lanes: readonly Lane[]) => void
}

const url = '/v1/tenant/jobs'
const defaultAttempts = 5
const idOf = (request: FastifyRequest): string => (request.params as { id: string }).id
const by = (stage: Located) => ({ tenantId: stage.tenant.id, ...auditedBy(stage) })
const laneOf = ({ tenant }: Located, { module }: JobView): Lane => ({
  queue: `jobs.${module}`,
  tenant: tenant.id,
  lane: '',
})

const answerOf = (status: number) => (job: JobView) =>
  jsonTextAnswer(status, JSON.stringify(job), { etag: jobEtag(job), location: `${url}/${job.id}` })

export function jobRoutes(app: Instance, ladder: Ladder, parts: JobRouteParts, off: DefencesOff): void {
  const { pool, runControl, registry, tasksAdded } = parts
  const watching = createWatching(parts.isClosing)
  jobScheduleRoutes(app, ladder, { pool, registry })
  const common = { tags: ['Jobs'], headers: tenantHeader }
  const answers = { 200: jobShape, ...problemResponses }

  const isOwn = ({ actor, scopes }: Located, { startedBy }: JobView): boolean =>
    startedBy === actor.id && isInScopes(scopes, 'tenant.jobs.read')

  /** @throws JOB_NOT_FOUND, also when it is nobody's business that there is one */
  async function find(stage: Located, id: string): Promise<JobView> {
    const job = await readJob(pool, stage.tenant.id, id, off)
    const maySee =
      job && (isOwn(stage, job) || holdsTenantPermission(stage, 'tenant.jobs.read') || off.has('jobReaders'))
    if (!maySee) throw errors.jobNotFound({ id })
    return job
  }

  function send(request: FastifyRequest, reply: FastifyReply, job: JobView) {
    const etag = jobEtag(job)
    void reply.header('etag', etag)
    return hasAlready(request, etag) ? reply.code(304).send() : job
  }

  app.route({
    method: 'GET',
    url,
    schema: {
      ...common,
      summary: 'Jobs, newest first: all of them for who may see that, else my own',
      querystring: jobsQuery,
      response: { 200: listOf(jobShape), ...problemResponses },
    },
    ...atRung(ladder.located, async (stage, request) => {
      const { limit, mine, ...query } = request.query as JobsQuery
      const seesAll = holdsTenantPermission(stage, 'tenant.jobs.read') || off.has('jobReaders')
      if (!isInScopes(stage.scopes, 'tenant.jobs.read')) requireTenantPermission(stage, 'tenant.jobs.read')
      return listJobs(pool, stage.tenant.id, {
        ...query,
        limit: Number(limit ?? 50),
        ...(seesAll && mine !== 'true' ? {} : { startedBy: stage.actor.id }),
      })
    }),
  })
  app.route({
    method: 'GET',
    url: `${url}/:id`,
    schema: {
      ...common,
      summary: 'One job with its progress; with wait, when it has changed from what If-None-Match names',
      params: jobParams,
      querystring: jobQuery,
      response: answers,
    },
    ...atRung(
      ladder.located,
      async (stage, request, reply) => {
        const id = idOf(request)
        const first = await find(stage, id)
        const seconds = Number((request.query as JobQueryString).wait ?? 0)
        if (seconds === 0 || first.endedAt !== undefined) return send(request, reply, first)
        const known = request.headers['if-none-match'] ?? jobEtag(first)
        const isNew = (job: JobView) => jobEtag(job) !== known
        const job = await watching.until(stage.tenant.id, () => find(stage, id), isNew, seconds * 1_000)
        return send(request, reply, job)
      },
      // It takes no place among the tenant's requests: it does nothing but wait.
      { entersPlugin: true },
    ),
  })
  app.route({
    method: 'POST',
    url: `${url}/:id/cancel`,
    schema: {
      ...common,
      summary: 'Cancel a job: one that waits at once, one that runs at its next call of the kernel',
      params: jobParams,
      response: answers,
    },
    ...atRung(ladder.located, async (stage, request, reply) => {
      const job = await find(stage, idOf(request))
      if (!isOwn(stage, job) && !off.has('jobReaders')) requireTenantPermission(stage, 'tenant.jobs.manage')
      const run = keeping(runControl, answerOf(200))
      return sendAnswer(reply, answerOf(200)(await run((tx) => cancelJob(tx, by(stage), job.id))))
    }),
  })
  app.route({
    method: 'POST',
    url: `${url}/:id/retry`,
    schema: {
      ...common,
      summary: 'Try a job again that was given up or cancelled',
      params: jobParams,
      response: answers,
    },
    ...atRung(ladder.located, async (stage, request, reply) => {
      requireTenantPermission(stage, 'tenant.jobs.manage')
      const before = await find(stage, idOf(request))
      const spec = registry.served(before.module)?.pluginFor(stage.tenant)?.manifest.jobs[before.job]
      const attempts = spec?.attempts ?? defaultAttempts
      const run = keeping(runControl, answerOf(200))
      const job = await run((tx) => retryJob(tx, by(stage), before.id, attempts))
      tasksAdded([laneOf(stage, job)])
      return sendAnswer(reply, answerOf(200)(job))
    }),
  })
  app.route({
    method: 'POST',
    url: '/v1/tenant/modules/:module/jobs/:job',
    schema: {
      ...common,
      summary: 'Have one of a module’s jobs done',
      params: namedJobParams,
      body: runJobBody,
      response: { 202: jobShape, ...problemResponses },
    },
    ...atRung(ladder.located, async (stage, request, reply) => {
      if (!off.has('jobRunners')) requireTenantPermission(stage, 'tenant.jobs.run')
      const { module, job } = request.params as { module: string; job: string }
      const { input, ...options } = request.body as RunJobBody
      const plugin = enabledPlugin(registry, stage, module)
      const run = keeping(runControl, answerOf(202))
      const made = await run(
        async (tx) => (await runJobByHand(tx, by(stage), plugin, job, { input, options })).job,
      )
      tasksAdded([laneOf(stage, made)])
      return sendAnswer(reply, answerOf(202)(made))
    }),
  })
}
