// POST /v1/<module>/<entities>/{id}/<action>. The record is loaded and locked and the transition checked before the
// plugin's code, if there is any, sees it; what it returns is stored.
import type { ActionSpec, EntitySpec, Json } from '@plinth/sdk'
import { actOn } from '../broker/acts.ts'
import { lockRecord, shown, storeOf, updateRecord } from '../broker/records.ts'
import { requestApproval } from '../broker/request-approval.ts'
import type { Work } from '../broker/work.ts'
import type { EntityRecord, EntityStore, Values } from '../data/entity-store.ts'
import { jsonSchemaForFields } from '../data/field-kinds/json-schema.ts'
import { parseFields, parseRecord } from '../data/field-kinds/parse-fields.ts'
import type { KeptAnswer } from '../data/idempotent-request.ts'
import { errors } from '../errors.ts'
import { parseActionAnswer } from '../sandbox/action-answer.ts'
import { jsonTextAnswer, recordAnswer, sendAnswer } from './answer.ts'
import type { Instance } from './create-instance.ts'
import { ifMatch } from './etag.ts'
import { keepsAnswer } from './keeping-answer.ts'
import { atRung } from './ladder.ts'
import type { ModuleParts } from './module-parts.ts'
import { idParams } from './record-schemas.ts'
import { moduleProblems, tenantHeader } from './schemas.ts'

export interface ActionCall {
  readonly entity: string
  readonly action: string
  readonly spec: ActionSpec
  readonly id: string
  readonly input: Json
  readonly versions?: readonly number[]
}

interface CreatedAnswer {
  /** Absent for a caller who may make such a record and not read it. */
  readonly created?: EntityRecord
  readonly path: string
}

/** Done, or waiting for others. */
type Done = Answer | { readonly approval: string }

type Answer = { readonly updated: EntityRecord } | CreatedAnswer

const moveTo = (store: EntityStore, to: string): Values =>
  Object.fromEntries(
    Object.entries(store.spec.fields).flatMap(([name, field]) =>
      field.kind === 'state' ? [[name, to]] : [],
    ),
  )

/**
 * Read again, by its id alone: what a plugin says a record looks like is not an answer. It may be of another entity. The
 * plugin may name any record of the tenant, so it is shown to a caller who may read it. One that he made himself is at
 * least named; any other is, for him, not there.
 */
async function findCreated(work: Work, id: string): Promise<CreatedAnswer> {
  const { manifest, stores } = work.plugin
  for (const [entity, store] of Object.entries(stores)) {
    const created = await store.get(work.unit, id)
    if (!created) continue
    const path = `/v1/${manifest.name}/${store.spec.path}/${id}`
    if (work.ability.can('read', { entity, record: created }))
      return { created: shown(work, entity, created), path }
    if (created.createdBy === work.actor.id) return { path }
  }
  const cause = new Error(`created() named a record '${id}' that is not there for the caller`)
  throw errors.pluginFailed({ module: manifest.name }, cause)
}

/** Runs it, unless somebody has to agree first: then it waits, and its approval is the answer. */
async function actOrAsk(work: Work, call: ActionCall): Promise<Done> {
  const { entity, action, spec, id, input } = call
  if (spec.approval) {
    const record = await checkedRecord(work, call)
    const approval = await requestApproval(work, { entity, action, record: id, input }, record)
    if (approval !== undefined) return { approval }
  }
  return act(work, call)
}

/** The record, if the action may be done to it as it is. */
async function checkedRecord(work: Work, call: ActionCall): Promise<EntityRecord> {
  const { entity, action, spec, id } = call
  const record = await lockRecord(work, entity, id, action)
  if (call.versions !== undefined && !call.versions.includes(record.version)) {
    throw errors.versionConflict({ entity, id, version: record.version })
  }
  if (spec.to !== undefined) storeOf(work, entity).checkTransition(record, spec.to)
  return record
}

/** Runs an action on its record. Whoever has to agree has done so, or nobody has to. */
export async function act(asked: Work, call: ActionCall): Promise<Answer> {
  const { entity, action, spec, id } = call
  const record = await checkedRecord(asked, call)
  const { onBehalfOf } = await actOn(asked, action, entity, record)
  const work = asked.inNameOf(onBehalfOf)
  const store = storeOf(work, entity)
  const answer = spec.run
    ? parseActionAnswer(
        work.plugin.manifest.name,
        await work.run({ kind: 'action', entity, action }, { record, input: call.input }),
      )
    : {}
  if (answer.created !== undefined) {
    if (spec.to !== undefined) await updateRecord(work, entity, id, moveTo(store, spec.to), { verb: action })
    return findCreated(work, answer.created)
  }
  const changes = parseRecord(store.spec.fields, answer.changes ?? {}, 'patch', { allowState: true }).values
  const all = spec.to === undefined ? changes : { ...changes, ...moveTo(store, spec.to) }
  if (Object.keys(all).length === 0) return { updated: record }
  return { updated: await updateRecord(work, entity, id, all, { verb: action }) }
}

export function actionRoute(
  app: Instance,
  parts: ModuleParts,
  entity: string,
  spec: EntitySpec,
  action: string,
  actionSpec: ActionSpec,
): void {
  const { plugin, ladder, withWork } = parts
  const problems = moduleProblems(plugin.manifest.errors)
  const path = `/v1/${plugin.manifest.name}/${spec.path}`
  const record = jsonSchemaForFields(spec.fields, 'record')
  const entersPlugin =
    actionSpec.run === true ||
    actionSpec.approval !== undefined ||
    (plugin.manifest.hooks[entity] ?? []).length > 0
  const takesInput = Object.keys(actionSpec.input).length > 0
  app.route({
    method: 'POST',
    url: `${path}/:id/${kebab(action)}`,
    schema: {
      tags: [plugin.manifest.title],
      summary: `${actionSpec.title}: ${spec.title.toLowerCase()}`,
      headers: tenantHeader,
      params: idParams,
      ...(takesInput ? { body: jsonSchemaForFields(actionSpec.input, 'input') } : {}),
      response: {
        200: { ...record, description: 'The record after the action.' },
        ...(actionSpec.run
          ? { 201: { ...record, description: 'The record the action made, for a caller who may read it.' } }
          : {}),
        ...(actionSpec.approval ? { 202: waitingForApproval } : {}),
        ...problems,
      },
    },
    ...keepsAnswer,
    ...atRung(
      ladder.permitted(plugin, { name: `${entity}.${action}`, subject: entity, verb: action }),
      async (stage, request, reply) => {
        const call: ActionCall = {
          entity,
          action,
          spec: actionSpec,
          id: (request.params as { id: string }).id.toLowerCase(),
          input: parseFields(actionSpec.input, request.body ?? {}),
          ...ifMatch(request),
        }
        const answer = (done: Done): KeptAnswer => {
          if ('approval' in done) {
            const { approval } = done
            const location = `/v1/tenant/approvals/${approval}`
            return jsonTextAnswer(202, JSON.stringify({ approval, state: 'open' }), { location })
          }
          if ('updated' in done) return recordAnswer(200, shown(stage, entity, done.updated))
          if (done.created) return recordAnswer(201, done.created, done.path)
          return { status: 201, headers: { location: done.path } }
        }
        const done = await withWork(stage, (work) => actOrAsk(work, call), { entersPlugin, answer })
        return sendAnswer(reply, answer(done))
      },
      { entersPlugin },
    ),
  })
}

const waitingForApproval = {
  description: 'Nothing was done yet: people have to agree first, and the action runs when they have.',
  type: 'object',
  required: ['approval', 'state'],
  properties: { approval: { type: 'string', format: 'uuid' }, state: { type: 'string', enum: ['open'] } },
}

/** `markPaid` is `mark-paid` in the URL. */
const kebab = (key: string) => key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
