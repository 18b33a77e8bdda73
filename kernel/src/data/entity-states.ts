// The life of a record: which states it may move to, and in which nothing about it may change any more.
import { errors } from '../errors.ts'
import type { EntityRecord } from './record-rows.ts'
import type { EntityTable } from './table-for-entity.ts'

export function stateOf(table: EntityTable, record: EntityRecord): string {
  const state = table.state === undefined ? undefined : record[table.state]
  return typeof state === 'string' ? state : ''
}

/** @throws TRANSITION_INVALID unless the record may become `to` */
export function checkTransition(table: EntityTable, record: EntityRecord, to: string): void {
  const from = stateOf(table, record)
  const transitions =
    (table.state === undefined ? undefined : table.spec.fields[table.state]?.transitions) ?? {}
  const allowed = (Object.hasOwn(transitions, from) ? transitions[from] : undefined) ?? []
  if (!allowed.includes(to)) {
    throw errors.transitionInvalid({ entity: table.entity, from, to, allowed })
  }
}

/** @throws RECORD_IMMUTABLE when the record is in a state that ends all change */
export function checkMutable(table: EntityTable, record: EntityRecord): void {
  const state = stateOf(table, record)
  if (table.spec.immutableIn.includes(state)) {
    throw errors.recordImmutable({ entity: table.entity, id: record.id, state })
  }
}
