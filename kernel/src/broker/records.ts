// Records of one module on behalf of one actor: permission, the plugin's validate hook, then the entity store.
// The HTTP routes and the plugin's own calls both come through here, so neither can skip a step.
import { isDeepStrictEqual } from 'node:util'
import type { FieldSpecs } from '@plinth/sdk'
import { type Condition, fieldsIn } from '../data/condition.ts'
import type { EntityRecord, EntityStore, ListQuery, Page, Values } from '../data/entity-store.ts'
import { initialState } from '../data/field-kinds/parse-fields.ts'
import type { Reader } from '../data/statement.ts'
import { errors } from '../errors.ts'
import type { Ability } from '../permissions/build-ability.ts'
import { alwaysReadable, deniedField, namesFields, trimmed } from '../permissions/field-rights.ts'
import { rowCondition } from '../permissions/row-condition.ts'
import type { LoadedPlugin } from '../registry/load-plugin.ts'
import { actOfCreating, actOn, mustBeKnown } from './acts.ts'
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

const permissionName = ({ plugin }: { readonly plugin: LoadedPlugin }, entity: string, verb: string) =>
  `${plugin.manifest.name}.${entity}.${verb}`

/** The rows the actor may act on with `verb`. @throws FORBIDDEN when he may on none. */
function allowedRows(scope: ReadScope, verb: string, entity: string): Condition {
  if (!scope.ability.can(verb, entity)) {
    throw errors.forbidden({ permission: permissionName(scope, entity, verb) })
  }
  return rowCondition(scope.ability, verb, entity)
}

/** The record without the fields that the actor may not read. */
export const shown = (scope: ReadScope, entity: string, record: EntityRecord): EntityRecord =>
  trimmed(scope.ability, storeOf(scope, entity).spec, entity, record)

/** What a list is filtered or sorted by tells its values, shown or not. @throws FORBIDDEN naming the field */
function refuseUnreadable(scope: ReadScope, entity: string, { where, sort = [] }: ListQuery): void {
  const { spec } = storeOf(scope, entity)
  for (const name of [...fieldsIn(where ?? true), ...sort.map(({ field }) => field)]) {
    const field = name.split('.')[0] ?? name
    if (Object.hasOwn(spec.fields, field) && !alwaysReadable(scope.ability, entity, field))
      throw errors.forbidden({ permission: permissionName(scope, entity, 'read'), field })
  }
}

/** @throws FORBIDDEN naming the first field that the actor may not write */
function refuseUnwritable(work: Work, verb: string, entity: string, record: Values, names: string[]): void {
  const field = deniedField(work.ability, verb, entity, record, names)
  if (field !== undefined) throw errors.forbidden({ permission: permissionName(work, entity, verb), field })
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
  return shown(scope, entity, record)
}

export async function listRecords(
  scope: ReadScope,
  reader: Reader,
  entity: string,
  query: ListQuery,
): Promise<Page> {
  const store = storeOf(scope, entity)
  const condition = allowedRows(scope, 'read', entity)
  refuseUnreadable(scope, entity, query)
  const page = await store.list(reader, query, condition)
  countRead(scope, entity, page.items)
  if (!namesFields(scope.ability, 'read', entity)) return page
  return { ...page, items: page.items.map((record) => shown(scope, entity, record)) }
}

/** The whole record with its row locked, if the actor may do `verb` to it. */
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
    throw errors.forbidden({ permission: permissionName(work, entity, verb), record: id })
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
  const store = storeOf(work, entity)
  const record = { ...initialStates(store.spec.fields), ...values, createdBy: work.actor.id }
  if (!work.ability.can('create', { entity, record })) {
    throw errors.forbidden({ permission: permissionName(work, entity, 'create') })
  }
  // A default is the plugin's value, not the person's.
  const given = Object.keys(values).filter(
    (name) => !isDeepStrictEqual(values[name], store.spec.fields[name]?.default),
  )
  refuseUnwritable(work, 'create', entity, record, given)
  await validate(work, entity, { ...initialStates(store.spec.fields), ...values })
  countWritten(work, entity, values)
  // At the first depth nobody reads the record back before the commit, which then confirms the insert.
  return store.create(work.unit, values, {
    ...actOfCreating(work, entity, record),
    ...(work.depth === 0 ? { unconfirmed: true } : {}),
  })
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
  // What an action changes is the action's: its permission says who may, and no list of fields.
  const isGeneric = options.verb === undefined
  let act = {}
  if ((await mustBeKnown(work, verb, entity)) || hasHook(work, entity)) {
    const record = await store.lock(work.unit, id, condition)
    if (!record) throw await missing(work, entity, id, verb)
    if (isGeneric) refuseUnwritable(work, verb, entity, record, Object.keys(changes))
    act = await actOn(work, verb, entity, record)
    await validate(work, entity, patched(record, changes))
  }
  countWritten(work, entity, changes)
  const updated = await store.update(work.unit, id, changes, {
    condition,
    ...act,
    ...(options.versions === undefined ? {} : { versions: options.versions }),
    ...(options.verb === undefined ? {} : { action: options.verb }),
  })
  if (!updated) throw await missing(work, entity, id, verb)
  // Nor may a person move a record to where he may not change it. A plugin may: it knows what it does.
  if (isGeneric && work.depth === 0 && !work.ability.can(verb, { entity, record: updated }))
    throw errors.forbidden({ permission: permissionName(work, entity, verb), record: id })
  return updated
}

export async function deleteRecord(
  work: Work,
  entity: string,
  id: string,
  options: { readonly versions?: readonly number[] } = {},
): Promise<void> {
  const store = storeOf(work, entity)
  const condition = allowedRows(work, 'delete', entity)
  let act = {}
  if (await mustBeKnown(work, 'delete', entity)) {
    const record = await store.lock(work.unit, id, condition)
    if (!record) throw await missing(work, entity, id, 'delete')
    act = await actOn(work, 'delete', entity, record)
  }
  countWritten(work, entity, {})
  const deleted = await store.delete(work.unit, id, { ...options, ...act, condition })
  if (!deleted) throw await missing(work, entity, id, 'delete')
}

/** Not there, or there and readable but not his to change: the second is no secret. */
async function missing(work: Work, entity: string, id: string, verb: string): Promise<Error> {
  const readable = work.ability.can('read', entity)
    ? await storeOf(work, entity).get(work.unit, id, rowCondition(work.ability, 'read', entity))
    : undefined
  return readable
    ? errors.forbidden({ permission: permissionName(work, entity, verb), record: id })
    : notFound(entity, id)
}
