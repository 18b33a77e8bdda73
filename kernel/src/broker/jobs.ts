// Capabilities: work for later, in the unit of work; and how far the job is that is being done, at once.
import Type from 'typebox'
import { nearestName } from '../data/nearest-name.ts'
import { prepared } from '../data/statement.ts'
import { errors } from '../errors.ts'
import { capability } from './capability.ts'
import { type AskRow, insertJob, jobsQueue, parseJobInput, refuseWhenFull } from './enqueue-job.ts'
import type { Work } from './work.ts'

const longestNote = 200
const farthestPriority = 100

const options = Type.Object(
  {
    delayMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 366 * 24 * 3_600_000 })),
    at: Type.Optional(Type.String({ maxLength: 40 })),
    priority: Type.Optional(Type.Integer({ minimum: -farthestPriority, maximum: farthestPriority })),
    unique: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
  },
  { additionalProperties: false },
)

const denied = (work: Work, capability: string, reason: string) =>
  errors.capabilityDenied({ module: work.plugin.manifest.name, capability, reason })

const within =
  ({ unit }: Work): AskRow =>
  async (text, values) =>
    (await unit.ownQuery(prepared(text)(values), { writes: true })).rows.map((row) => row[0])

export const jobs = {
  'jobs.enqueue': capability(
    'jobs.enqueue',
    Type.Object(
      { job: Type.String({ maxLength: 64 }), input: Type.Unknown(), options: Type.Optional(options) },
      { additionalProperties: false },
    ),
    async (work, { job, input, options = {} }) => {
      const { name: module, jobs: declared } = work.plugin.manifest
      const spec = Object.hasOwn(declared, job) ? declared[job] : undefined
      if (!spec) {
        const near = nearestName(job, Object.keys(declared))
        const hint = near === undefined ? '' : ` Did you mean '${near}'?`
        throw denied(work, 'jobs', `it declares no job '${job}'.${hint}`)
      }
      work.spending.spend(module, 'jobs')
      const parsed = parseJobInput(spec, input)
      const ask = within(work)
      if (work.spending.byModule().get(module)?.get('jobs') === 1)
        await refuseWhenFull(ask, work.tenant.id, module)
      const { actor, onBehalfOf, requestId, origin, task } = work.unit.scope
      const lane = { queue: jobsQueue(module), tenant: work.tenant.id, lane: '' }
      const { id } = await insertJob(ask, {
        tenant: work.tenant.id,
        module,
        job,
        input: parsed,
        attempts: spec.attempts,
        options,
        actor,
        onBehalfOf,
        requestId,
        traceparent: origin?.traceparent,
        depth: task?.depth ?? 0,
      })
      work.unit.afterCommit(() => work.tasksAdded([lane]))
      return { id }
    },
  ),
  'jobs.progress': capability(
    'jobs.progress',
    Type.Object(
      {
        fraction: Type.Number({ minimum: 0, maximum: 1 }),
        note: Type.Optional(Type.String({ maxLength: longestNote })),
      },
      { additionalProperties: false },
    ),
    async (work, { fraction, note }) => {
      // A service that a job calls is no job, whoever calls it.
      if (!work.job || work.job.module !== work.plugin.manifest.name)
        throw denied(work, 'jobs', 'no job of its own is being done.')
      await work.job.progress(fraction, note)
      return null
    },
  ),
}
