// GET /v1/tenant/modules/{module}/jobs: which jobs there are to be had done, and what each wants to know.
import Type from 'typebox'
import { jsonSchemaForFields } from '../data/field-kinds/json-schema.ts'
import { enabledPlugin } from '../entitlements/check-entitlement.ts'
import { holdsTenantPermission, requireTenantPermission } from '../permissions/tenant-permissions.ts'
import type { PluginRegistry } from '../registry/plugin-registry.ts'
import type { Instance } from './create-instance.ts'
import { atRung, type Ladder } from './ladder.ts'
import { listOf, problemResponses, tenantHeader } from './schemas.ts'

const declaredShape = Type.Object({
  job: Type.String(),
  title: Type.String(),
  input: Type.Unknown({ description: 'JSON Schema.' }),
  schedule: Type.Optional(Type.String()),
  attempts: Type.Integer(),
  rate: Type.Optional(Type.Object({ max: Type.Integer(), perSeconds: Type.Integer() })),
})

export function declaredJobRoutes(
  app: Instance,
  ladder: Ladder,
  { registry }: { readonly registry: Pick<PluginRegistry, 'served' | 'pluginFor'> },
): void {
  app.route({
    method: 'GET',
    url: '/v1/tenant/modules/:module/jobs',
    schema: {
      tags: ['Jobs'],
      summary: 'The jobs that a module declares, and what each takes',
      headers: tenantHeader,
      params: {
        type: 'object',
        required: ['module'],
        properties: { module: { type: 'string', maxLength: 64 } },
      },
      response: { 200: listOf(declaredShape), ...problemResponses },
    },
    ...atRung(ladder.located, async (stage, request) => {
      if (!holdsTenantPermission(stage, 'tenant.jobs.run')) requireTenantPermission(stage, 'tenant.jobs.read')
      const { module } = request.params as { module: string }
      const { jobs } = enabledPlugin(registry, stage, module).manifest
      return {
        items: Object.entries(jobs).map(([job, { input, ...spec }]) => ({
          job,
          ...spec,
          input: jsonSchemaForFields(input, 'input'),
        })),
      }
    }),
  })
}
