// The five generic routes of every entity. They stay out of the sandbox unless the entity has a hook.
import type { EntitySpec } from '@plinth/sdk'
import { createRecord, deleteRecord, getRecord, listRecords, shown, updateRecord } from '../broker/records.ts'
import type { Work } from '../broker/work.ts'
import type { EntityRecord } from '../data/entity-store.ts'
import { jsonSchemaForFields } from '../data/field-kinds/json-schema.ts'
import { parseRecord } from '../data/field-kinds/parse-fields.ts'
import { recordAnswer, sendAnswer } from './answer.ts'
import type { Instance } from './create-instance.ts'
import { ifMatch, sendRecord } from './etag.ts'
import { keepsAnswer } from './keeping-answer.ts'
import { atRung } from './ladder.ts'
import { parseListQuery } from './list-query.ts'
import type { ModuleParts } from './module-parts.ts'
import { idParams, listParameters } from './record-schemas.ts'
import { moduleProblems, tenantHeader } from './schemas.ts'

const idOf = (params: unknown): string => (params as { id: string }).id.toLowerCase()

export function entityRoutes(app: Instance, parts: ModuleParts, entity: string, spec: EntitySpec): void {
  const { plugin, ladder, connections, withWork } = parts
  const problems = moduleProblems(plugin.manifest.errors)
  const module = plugin.manifest.name
  const path = `/v1/${module}/${spec.path}`
  const title = spec.title.toLowerCase()
  const permitted = (verb: string) =>
    ladder.permitted(plugin, { name: `${entity}.${verb}`, subject: entity, verb })
  const common = { tags: [plugin.manifest.title], headers: tenantHeader }
  const record = jsonSchemaForFields(spec.fields, 'record')
  const entersPlugin = (plugin.manifest.hooks[entity] ?? []).length > 0

  app.route({
    method: 'GET',
    url: path,
    schema: {
      ...common,
      summary: `List records: ${title}`,
      querystring: listParameters(spec),
      response: {
        200: {
          type: 'object',
          required: ['items'],
          properties: { items: { type: 'array', items: record }, cursor: { type: 'string' } },
        },
        ...problems,
      },
    },
    ...atRung(permitted('read'), async (stage, request) => {
      const query = parseListQuery(spec, request.query as Record<string, string>)
      return listRecords(stage, connections.reader(stage.tenant.id), entity, query)
    }),
  })
  app.route({
    method: 'GET',
    url: `${path}/:id`,
    schema: {
      ...common,
      summary: `Read one: ${title}`,
      params: idParams,
      response: { 200: record, ...problems },
    },
    ...atRung(permitted('read'), async (stage, request, reply) => {
      const reader = connections.reader(stage.tenant.id)
      return sendRecord(request, reply, await getRecord(stage, reader, entity, idOf(request.params)))
    }),
  })
  app.route({
    method: 'POST',
    url: path,
    schema: {
      ...common,
      summary: `Create: ${title}`,
      body: jsonSchemaForFields(spec.fields, 'create'),
      response: { 201: record, ...problems },
    },
    ...keepsAnswer,
    ...atRung(
      permitted('create'),
      async (stage, request, reply) => {
        const { values } = parseRecord(spec.fields, request.body, 'create')
        const answer = (created: EntityRecord) =>
          recordAnswer(201, shown(stage, entity, created), `${path}/${created.id}`)
        const created = await withWork(stage, (work) => createRecord(work, entity, values), {
          entersPlugin,
          answer,
        })
        return sendAnswer(reply, answer(created))
      },
      { entersPlugin },
    ),
  })
  app.route({
    method: 'PATCH',
    url: `${path}/:id`,
    schema: {
      ...common,
      summary: `Change fields: ${title}. null clears an optional field.`,
      params: idParams,
      body: jsonSchemaForFields(spec.fields, 'patch'),
      response: { 200: record, ...problems },
    },
    ...atRung(
      permitted('update'),
      async (stage, request, reply) => {
        const { values } = parseRecord(spec.fields, request.body, 'patch')
        const options = ifMatch(request)
        const id = idOf(request.params)
        const update = (work: Work) => updateRecord(work, entity, id, values, options)
        const updated = await withWork(stage, update, { entersPlugin })
        return sendRecord(request, reply, shown(stage, entity, updated))
      },
      { entersPlugin },
    ),
  })
  app.route({
    method: 'DELETE',
    url: `${path}/:id`,
    schema: {
      ...common,
      summary: `Delete: ${title}`,
      params: idParams,
      response: { 204: { description: 'Deleted.', type: 'null' }, ...problems },
    },
    ...atRung(permitted('delete'), async (stage, request, reply) => {
      const options = ifMatch(request)
      await withWork(stage, (work) => deleteRecord(work, entity, idOf(request.params), options))
      return reply.code(204).send()
    }),
  })
}
