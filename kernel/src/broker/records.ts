// Records of one module on behalf of one actor: permission, the plugin's validate hook, then the entity store.
// The HTTP routes and the plugin's own calls both come through here, so neither can skip a step.
import type { FieldSpecs } from '@plinth/sdk'
import type { Condition } from '../data/condition.ts'
import type { EntityRecord, EntityStore, ListQuery, Page, Values } from '../data/entity-store.ts'
import { initialState } from '../data/field-kinds/parse-fields.ts'
import type { Reader } from '../data/statement.ts'
import { errors } from '../errors.ts'
import type { Ability } from '../permissions/build-ability.ts'
import { rowCondition } from '../permissions/row-condition.ts'
import type { LoadedPlugin } from '../registry/load-plugin.ts'
import type { Spending } from './spending.ts'
import type { Work } from './work.ts'

/** What reading needs to know: a Work has it, and so has a request that opens no unit of work. */
export interface ReadScope {
  readonly plugin: LoadedPlugin
  readonly ability: Ability
  /** Of a request that runs handlers. */
  readonly spending?: Spending
}

export function storeOf(scope: { readonly plugin: LoadedPlugin }, entity: string): EntityStore {
  const stores = scope.plugin.stores
  const store = Object.hasOwn(stores, entity) ? stores[entity] : undefined
  if (!store) {
    const module = scope.plugin.manifest.name
    throw errors.capabilityDenied({ module, capability: 'entities', reason: `it has no entity '${entity}'.` })
  }
  return store
}

/** A record and its lines are rows, each. */
function rowsIn(fields: FieldSpecs, values: Values): number {
  let rows = 1
  for (const [name, value] of Object.entries(values)) {
    if (fields[name]?.kind === 'lines' && Array.isArray(value)) rows += value.length
  }
  return rows
}

function countRead(scope: ReadScope, entity: string, records: readonly EntityRecord[]): void {
  if (!scope.spending) return
  const { fields } = storeOf(scope, entity).spec
  const rows = records.reduce((sum, record) => sum + rowsIn(fields, record), 0)
  scope.spending.spend(scope.plugin.manifest.name, 'rowsRead', rows)
}

function countWritten(work: Work, entity: string, values: Values): void {
  const { fields } = storeOf(work, entity).spec
  work.spending.spend(work.plugin.manifest.name, 'rowsWritten', rowsIn(fields, values))
}

const notFound = (entity: string, id: string) => errors.recordNotFound({ entity, id })

/** The rows the actor may act on with `verb`. @throws FORBIDDEN when he may on none. */
function allowedRows(scope: ReadScope, verb: string, entity: string): Condition {
  if (!scope.ability.can(verb, entity)) {
    throw errors.forbidden({ permission: `${scope.plugin.manifest.name}.${entity}.${verb}` })
  }
  return rowCondition(scope.ability, verb, entity)
}

export async function getRecord(
  scope: ReadScope,
  reader: Reader,
  entity: string,
  id: string,
): Promise<EntityRecord> {
  const record = await storeOf(scope, entity).get(reader, id, allowedRows(scope, 'read', entity))
  if (!record) throw notFound(entity, id)
  countRead(scope, entity, [record])
  return record
}

export async function listRecords(
  scope: ReadScope,
  reader: Reader,
  entity: string,
  query: ListQuery,
): Promise<Page> {
  const page = await storeOf(scope, entity).list(reader, query, allowedRows(scope, 'read', entity))
  countRead(scope, entity, page.items)
  return page
}

/** The record with its row locked, if the actor may do `verb` to it. */
export async function lockRecord(
  work: Work,
  entity: string,
  id: string,
  verb: string,
): Promise<EntityRecord> {
  const store = storeOf(work, entity)
  const record = await store.lock(work.unit, id, allowedRows(work, 'read', entity))
  if (!record) throw notFound(entity, id)
  countRead(work, entity, [record])
  if (!work.ability.can(verb, { entity, record })) {
    throw errors.forbidden({ permission: `${work.plugin.manifest.name}.${entity}.${verb}` })
  }
  return record
}

const hasHook = (work: Work, entity: string) =>
  (work.plugin.manifest.hooks[entity] ?? []).includes('validate')

async function validate(work: Work, entity: string, candidate: Values): Promise<void> {
  if (hasHook(work, entity)) await work.run({ kind: 'hook', entity, hook: 'validate' }, candidate)
}

const initialStates = (fields: FieldSpecs): Values =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, spec]) =>
      spec.kind === 'state' ? [[name, initialState(spec)]] : [],
    ),
  )

/** `values` come from parseRecord. */
export async function createRecord(work: Work, entity: string, values: Values): Promise<EntityRecord> {
  const record = { ...values, createdBy: work.actor.id }
  if (!work.ability.can('create', { entity, record })) {
    throw errors.forbidden({ permission: `${work.plugin.manifest.name}.${entity}.create` })
  }
  const store = storeOf(work, entity)
  await validate(work, entity, { ...initialStates(store.spec.fields), ...values })
  countWritten(work, entity, values)
  // At the first depth nobody reads the record back before the commit, which then confirms the insert.
  return store.create(work.unit, values, work.depth === 0 ? { unconfirmed: true } : {})
}

/** A patch over a record: `null` clears a field. */
export function patched(record: EntityRecord, changes: Values): EntityRecord {
  const merged = Object.entries({ ...record, ...changes }).filter(([, value]) => value !== null)
  return Object.fromEntries(merged) as EntityRecord
}

/** `changes` come from parseRecord. */
export async function updateRecord(
  work: Work,
  entity: string,
  id: string,
  changes: Values,
  options: { readonly versions?: readonly number[]; readonly verb?: string } = {},
): Promise<EntityRecord> {
  const store = storeOf(work, entity)
  const verb = options.verb ?? 'update'
  const condition = allowedRows(work, verb, entity)
  if (hasHook(work, entity)) {
    const record = await store.lock(work.unit, id, condition)
    if (!record) throw await missing(work, entity, id, verb)
    await validate(work, entity, patched(record, changes))
  }
  countWritten(work, entity, changes)
  const updated = await store.update(work.unit, id, changes, {
    condition,
    ...(options.versions === undefined ? {} : { versions: options.versions }),
    ...(options.verb === undefined ? {} : { action: options.verb }),
  })
  if (!updated) throw await missing(work, entity, id, verb)
  return updated
}

export async function deleteRecord(
  work: Work,
  entity: string,
  id: string,
  options: { readonly versions?: readonly number[] } = {},
): Promise<void> {
  const condition = allowedRows(work, 'delete', entity)
  countWritten(work, entity, {})
  const deleted = await storeOf(work, entity).delete(work.unit, id, { ...options, condition })
  if (!deleted) throw await missing(work, entity, id, 'delete')
}

/** Not there, or there and readable but not his to change: the second is no secret. */
async function missing(work: Work, entity: string, id: string, verb: string): Promise<Error> {
  const readable = work.ability.can('read', entity)
    ? await storeOf(work, entity).get(work.unit, id, rowCondition(work.ability, 'read', entity))
    : undefined
  return readable
    ? errors.forbidden({ permission: `${work.plugin.manifest.name}.${entity}.${verb}` })
    : notFound(entity, id)
}
