// /v1/operator/limits: what an operator has set of the governor limits, for a module or for one tenant in it.
import type { FastifyRequest } from 'fastify'
import Type, { type Static } from 'typebox'
import type { LimitDirectory } from '../entitlements/limit-directory.ts'
import { getLimits, type LimitSetter, type LimitTarget, setLimits } from '../entitlements/set-limits.ts'
import { errors } from '../errors.ts'
import type { RunControl } from '../tenants/control-transaction.ts'
import type { TenantDirectory } from '../tenants/tenant-directory.ts'
import type { Instance } from './create-instance.ts'
import { atRung } from './ladder.ts'
import { problemResponses } from './schemas.ts'

const figures = Type.Record(Type.String(), Type.Number())
const limitsShape = Type.Object({
  module: Type.String(),
  tenant: Type.Optional(Type.String({ description: 'Id; absent: what is set for every tenant.' })),
  set: Type.Object({ request: Type.Optional(figures), job: Type.Optional(figures) }),
  inForce: Type.Optional(
    Type.Object(
      { request: figures, job: figures },
      { description: 'With a tenant: default, plan and what is set, together.' },
    ),
  ),
})
const targetQuery = Type.Object(
  {
    module: Type.String({ minLength: 1, maxLength: 64 }),
    tenant: Type.Optional(Type.String({ minLength: 1, maxLength: 64, description: 'Slug or id.' })),
  },
  { additionalProperties: false },
)
type TargetQuery = Static<typeof targetQuery>

/** `guard` lets operators pass, and nobody else. */
export function limitRoutes<Operator extends LimitSetter>(
  app: Instance,
  guard: (request: FastifyRequest) => Operator | Promise<Operator>,
  parts: {
    /** A module of this installation. */
    readonly hasModule: (module: string) => boolean
    readonly directory: TenantDirectory
    readonly limits: LimitDirectory
    readonly runControl: RunControl
  },
): void {
  const { hasModule, directory, limits, runControl } = parts

  async function targetOf(query: unknown) {
    const { module, tenant: name } = query as TargetQuery
    if (!hasModule(module)) throw errors.moduleNotFound({ module })
    const tenant = name === undefined ? undefined : await directory.find(name)
    if (name !== undefined && !tenant) throw errors.tenantNotFound({ tenant: name })
    const target: LimitTarget = tenant ? { module, tenant: tenant.id } : { module }
    return { target, tenant }
  }

  async function view(query: unknown) {
    const { target, tenant } = await targetOf(query)
    const set = await getLimits(runControl, target)
    if (!tenant) return { ...target, set }
    const resolved = await limits.limitsOf(tenant)
    const inForce = { request: resolved(target.module, 'request'), job: resolved(target.module, 'job') }
    return { ...target, set, inForce }
  }

  const common = {
    tags: ['Operator'],
    querystring: targetQuery,
    response: { 200: limitsShape, ...problemResponses },
  }
  app.route({
    method: 'GET',
    url: '/v1/operator/limits',
    schema: { ...common, summary: 'What is set of the limits of a module' },
    ...atRung(guard, async (_stage, request) => view(request.query)),
  })
  app.route({
    method: 'PUT',
    url: '/v1/operator/limits',
    schema: {
      ...common,
      summary: 'Set limits of a module; what is left out goes back to plan and default',
      body: { type: 'object', additionalProperties: true },
    },
    ...atRung(guard, async (stage, request) => {
      const { target } = await targetOf(request.query)
      await setLimits(runControl, stage, target, request.body)
      return view(request.query)
    }),
  })
}
