// What belongs to no area: health for the load balancer, the API's description, and the answer for modules that are
// not open here.
import type { Arrival, Tenant } from '../stages.ts'
import type { Instance } from './create-instance.ts'
import { atRung, type Ladder } from './ladder.ts'
import { type ApiDocument, documentOf, mergeDocuments } from './openapi.ts'
import { problemResponses, tenantHeader } from './schemas.ts'

const status = { type: 'object', properties: { status: { type: 'string' } } }

export function systemRoutes(
  app: Instance,
  ladder: Ladder,
  parts: {
    /** The API of the module as this tenant is served it. */
    readonly moduleDocument: (tenant: Tenant, module: string) => ApiDocument | undefined
    readonly isReady: () => Promise<boolean>
    readonly version: string
  },
): void {
  const tags = ['System']
  app.route({
    method: 'GET',
    url: '/health/live',
    schema: { tags, summary: 'The process runs', security: [], response: { 200: status } },
    ...atRung(ladder.arrived, async () => ({ status: 'ok' })),
  })
  app.route({
    method: 'GET',
    url: '/health/ready',
    schema: { tags, summary: 'The process can serve', security: [], response: { 200: status, 503: status } },
    ...atRung(ladder.arrived, async (_stage, _request, reply) =>
      (await parts.isReady()) ? { status: 'ready' } : reply.code(503).send({ status: 'not ready' }),
    ),
  })
  app.route({
    method: 'GET',
    url: '/openapi.json',
    schema: {
      tags,
      summary: 'This document. Without a token: the kernel alone.',
      security: [{}, { bearer: [] }],
      headers: tenantHeader,
      response: { 200: { type: 'object', additionalProperties: true }, ...problemResponses },
    },
    ...atRung(
      async (request): Promise<Arrival & { tenant?: Tenant }> =>
        request.headers.authorization ? ladder.located(request) : ladder.arrived(request),
      async (stage) => {
        const { tenant } = stage
        const enabled = [...(tenant?.modules.keys() ?? [])].sort()
        const documents = enabled.flatMap((module) => (tenant && parts.moduleDocument(tenant, module)) ?? [])
        return mergeDocuments(documentOf(app), documents, parts.version)
      },
    ),
  })
}
