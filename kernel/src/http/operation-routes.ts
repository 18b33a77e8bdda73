// /v1/operator/operations: what was asked for, how far it has come, and how it ended.
import Type, { type Static } from 'typebox'
import type { Lifecycle } from '../lifecycle/lifecycle.ts'
import type { Operation } from '../lifecycle/operation.ts'
import type { Instance } from './create-instance.ts'
import { atRung, type Ladder } from './ladder.ts'
import { operationShape } from './operator-schemas.ts'
import { listOf, problemResponses } from './schemas.ts'

const tags = ['Operator']
const uuid = '^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
const operationsQuery = Type.Object(
  {
    limit: Type.Optional(Type.String({ pattern: '^([1-9][0-9]?|1[0-9][0-9]|200)$' })),
    cursor: Type.Optional(Type.String({ pattern: uuid })),
    module: Type.Optional(Type.String({ maxLength: 64 })),
  },
  { additionalProperties: false },
)

export const operationView = (operation: Operation) => ({
  id: operation.id,
  kind: operation.kind,
  module: operation.module,
  package: operation.package,
  version: operation.version,
  state: operation.state,
  done: operation.done,
  result: operation.data,
  error: operation.error,
  startedAt: operation.createdAt.toISOString(),
  updatedAt: operation.updatedAt.toISOString(),
})

export function operationRoutes(app: Instance, ladder: Ladder, lifecycle: Lifecycle): void {
  app.route({
    method: 'GET',
    url: '/v1/operator/operations',
    schema: {
      tags,
      summary: 'Operations, newest first',
      querystring: operationsQuery,
      response: { 200: listOf(operationShape), ...problemResponses },
    },
    ...atRung(ladder.operated, async (_stage, request) => {
      const { limit = '50', cursor, module } = request.query as Static<typeof operationsQuery>
      const items = await lifecycle.operations({
        limit: Number(limit) + 1,
        ...(cursor === undefined ? {} : { before: cursor }),
        ...(module === undefined ? {} : { module }),
      })
      const page = items.slice(0, Number(limit))
      const last = page.at(-1)
      return {
        items: page.map(operationView),
        ...(items.length > page.length && last ? { cursor: last.id } : {}),
      }
    }),
  })
  app.route({
    method: 'GET',
    url: '/v1/operator/operations/:id',
    schema: {
      tags,
      summary: 'One operation',
      params: Type.Object({ id: Type.String({ pattern: uuid }) }),
      response: { 200: operationShape, ...problemResponses },
    },
    ...atRung(ladder.operated, async (_stage, request) =>
      operationView(await lifecycle.operation((request.params as { id: string }).id)),
    ),
  })
  app.route({
    method: 'POST',
    url: '/v1/operator/operations/:id/cancel',
    schema: {
      tags,
      summary: 'Take back a canary that goes on',
      params: Type.Object({ id: Type.String({ pattern: uuid }) }),
      response: { 200: operationShape, 202: operationShape, ...problemResponses },
    },
    ...atRung(ladder.operated, async (stage, request, reply) => {
      const operation = await lifecycle.cancel((request.params as { id: string }).id, stage)
      return reply
        .code(operation.state === 'failed' ? 200 : 202)
        .header('location', `/v1/operator/operations/${operation.id}`)
        .send(operationView(operation))
    }),
  })
}
