// GET /v1/<module>/<entities>/{id}/history: what was done to a record, for whoever may read it. Of each version he sees what
// he might read of it if it were the present one: who may not read drafts does not read them in the past either.
import type { EntitySpec, Json } from '@plinth/sdk'
import type { AuditItem } from '../audit/search-audit.ts'
import { getRecord, shown } from '../broker/records.ts'
import type { EntityRecord } from '../data/entity-store.ts'
import { errors } from '../errors.ts'
import type { Permitted } from '../stages.ts'
import type { Instance } from './create-instance.ts'
import { atRung } from './ladder.ts'
import type { ModuleParts } from './module-parts.ts'
import { idParams } from './record-schemas.ts'
import { moduleProblems, tenantHeader } from './schemas.ts'

const ofEveryRecord = ['id', 'version', 'createdAt', 'createdBy', 'updatedAt', 'updatedBy']

const limitForm = /^([1-9][0-9]?|1[0-9][0-9]|200)$/

function wishOf(query: Readonly<Record<string, string | undefined>>): { limit: number; cursor?: string } {
  const { limit = '50', cursor, ...unknown } = query
  const [field] = Object.keys(unknown)
  if (field !== undefined)
    throw errors.validation({ errors: [{ field, code: 'UNKNOWN_FIELD', message: 'is no parameter' }] })
  if (!limitForm.test(limit)) {
    const message = 'must be a whole number from 1 to 200'
    throw errors.validation({ errors: [{ field: 'limit', code: 'OUT_OF_RANGE', message }] })
  }
  return { limit: Number(limit), ...(cursor === undefined ? {} : { cursor: String(cursor) }) }
}

/** A version of the record as the caller may see it; null when it was none, or he may not read it. */
function versionFor(
  stage: Permitted,
  entity: string,
  spec: EntitySpec,
  values: AuditItem['before'],
): Readonly<Record<string, Json>> | null {
  if (values === null) return null
  // What is no field any more has no rule that could allow it.
  const known = Object.entries(values).filter(
    ([name]) => ofEveryRecord.includes(name) || Object.hasOwn(spec.fields, name),
  )
  // The entity store wrote it, whole, with everything that every record has.
  const record = Object.fromEntries(known) as EntityRecord
  return stage.ability.can('read', { entity, record }) ? shown(stage, entity, record) : null
}

export function historyRoute(app: Instance, parts: ModuleParts, entity: string, spec: EntitySpec): void {
  const { plugin, ladder, connections, trail } = parts
  const module = plugin.manifest.name
  const version = { anyOf: [{ type: 'object', additionalProperties: true }, { type: 'null' }] }
  const text = { type: 'string' }
  app.route({
    method: 'GET',
    url: `/v1/${module}/${spec.path}/:id/history`,
    schema: {
      tags: [plugin.manifest.title],
      headers: tenantHeader,
      summary: `What was done to a record, newest first: ${spec.title.toLowerCase()}`,
      params: idParams,
      querystring: {
        type: 'object',
        properties: { limit: { type: 'integer', minimum: 1, maximum: 200, default: 50 }, cursor: text },
      },
      response: {
        200: {
          type: 'object',
          required: ['items'],
          properties: {
            items: {
              type: 'array',
              items: {
                type: 'object',
                properties: {
                  at: { type: 'string', format: 'date-time' },
                  actor: text,
                  onBehalfOf: text,
                  action: text,
                  before: version,
                  after: version,
                },
              },
            },
            cursor: text,
          },
        },
        ...moduleProblems(plugin.manifest.errors),
      },
    },
    ...atRung(
      ladder.permitted(plugin, { name: `${entity}.read`, subject: entity, verb: 'read' }),
      async (stage, request) => {
        const wish = wishOf(request.query as Record<string, string>)
        const id = (request.params as { id: string }).id.toLowerCase()
        await getRecord(stage, connections.reader(stage.tenant.id), entity, id)
        const page = await trail.search(stage.tenant.id, { module, entity, record: id }, wish)
        const items = page.items.map(({ at, actor, onBehalfOf, action, before, after }) => ({
          at,
          actor: actor.id,
          ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
          action,
          before: versionFor(stage, entity, spec, before),
          after: versionFor(stage, entity, spec, after),
        }))
        return { ...page, items }
      },
    ),
  })
}
