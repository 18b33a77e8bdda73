// The records of one entity: the only place where they are read and written. States, immutability, numbers and audit
// are enforced here and nowhere else, whoever asks.
import { randomUUIDv7 } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { EntitySpec, Manifest } from '@plinth/sdk'
import { allStand, type DefencesOff } from '../defences.ts'
import { errors } from '../errors.ts'
import { type Condition, isOpen } from './condition.ts'
import { checkMutable, checkTransition } from './entity-states.ts'
import { explainDelete, explainWrite } from './explain-failure.ts'
import { initialState, type Values } from './field-kinds/parse-fields.ts'
import { isId } from './field-kinds/ref.ts'
import type { SortKey } from './list-fields.ts'
import { type ListQuery, listRecords, type Page } from './list-records.ts'
import { takeDueNumbers } from './number-series.ts'
import { type SelectBuilder, selectBuilder } from './query-for-entity.ts'
import { columnValues, type EntityRecord, linesAsJson, recordFromRow, recordOf } from './record-rows.ts'
import type { Reader, Statement } from './statement.ts'
import { type EntityTable, tableForEntity } from './table-for-entity.ts'
import type { UnitOfWork } from './unit-of-work.ts'

export type { EntityRecord, ListQuery, Page, SortKey, Values }

export interface CreateOptions {
  /** Name of the action in the audit row: create unless said. */
  readonly action?: string
  /** Does not wait for the insert: it is known to have worked once the unit has committed. */
  readonly unconfirmed?: true
  /** In whose name, when it is not the actor's own right. */
  readonly onBehalfOf?: string
}

export interface ChangeOptions {
  /** Rows outside it are as good as not there. */
  readonly condition?: Condition
  /** Refuse unless the record is at one of them. */
  readonly versions?: readonly number[]
  /** Name of the action in the audit row: update or delete unless said. */
  readonly action?: string
  /** In whose name, when it is not the actor's own right. */
  readonly onBehalfOf?: string
}

export interface EntityStore {
  readonly module: string
  readonly entity: string
  readonly spec: EntitySpec
  /** Undefined for an id that is unknown, or another tenant's. */
  get(reader: Reader, id: string, condition?: Condition): Promise<EntityRecord | undefined>
  list(reader: Reader, query: ListQuery, condition?: Condition): Promise<Page>
  /** The record, which nobody else can change before the unit ends. */
  lock(unit: UnitOfWork, id: string, condition?: Condition): Promise<EntityRecord | undefined>
  /** `values` from parseRecord(.., 'create'). */
  create(unit: UnitOfWork, values: Values, options?: CreateOptions): Promise<EntityRecord>
  /**
   * `changes` from parseRecord(.., 'patch'). Values that are as they were are no change, and without a change nothing
   * is written. A refusal by the database is the refusal of the unit's next step or of its commit.
   */
  update(
    unit: UnitOfWork,
    id: string,
    changes: Values,
    options?: ChangeOptions,
  ): Promise<EntityRecord | undefined>
  /** The record as it was. A record that others refer to is refused with the unit's next step or its commit. */
  delete(unit: UnitOfWork, id: string, options?: ChangeOptions): Promise<EntityRecord | undefined>
  /** @throws TRANSITION_INVALID unless the record may become `to` */
  checkTransition(record: EntityRecord, to: string): void
}

/** The stores of a plugin's entities, by entity. */
export const entityStores = (
  manifest: Manifest,
  rolePrefix: string,
  off: DefencesOff = allStand,
): Readonly<Record<string, EntityStore>> =>
  Object.fromEntries(
    Object.keys(manifest.entities).map((entity) => [
      entity,
      new Store(tableForEntity(manifest, entity, rolePrefix), off),
    ]),
  )

class Store implements EntityStore {
  readonly module: string
  readonly entity: string
  readonly spec: EntitySpec
  readonly #table: EntityTable
  readonly #select: SelectBuilder
  /** The prepared text for one record names its tenant. */
  readonly #namesTenant: boolean

  constructor(table: EntityTable, off: DefencesOff) {
    this.#namesTenant = !off.has('tenantCondition')
    this.module = table.module
    this.entity = table.entity
    this.spec = table.spec
    this.#table = table
    this.#select = selectBuilder(table, off)
  }

  async get(reader: Reader, id: string, condition?: Condition): Promise<EntityRecord | undefined> {
    if (!isId(id)) return undefined
    const statement = { ...this.#getStatement(reader.tenant, id, condition), readOnly: true as const }
    const { rows } = await reader.query(this.#table.role, statement)
    return rows[0] && recordFromRow(this.#table, rows[0])
  }

  list(reader: Reader, query: ListQuery, condition: Condition = true): Promise<Page> {
    return listRecords(this.#table, this.#select, reader, query, condition)
  }

  async lock(unit: UnitOfWork, id: string, condition?: Condition): Promise<EntityRecord | undefined> {
    if (!isId(id)) return undefined
    const key = this.#lockKey(id)
    const known = unit.locked.get(key)
    if (known && isOpen(condition)) return known as EntityRecord
    const table = this.#table
    unit.send(table.role, table.lock([unit.tenant, id]))
    // A statement of its own: after waiting for the lock, the one that waited would see the row as it is now but its
    // lines as they were before.
    const record = await this.get(unit, id, condition)
    if (record) unit.locked.set(key, record)
    return record
  }

  async create(
    unit: UnitOfWork,
    values: Values,
    { action = 'create', unconfirmed, onBehalfOf }: CreateOptions = {},
  ): Promise<EntityRecord> {
    const table = this.#table
    const now = new Date().toISOString()
    const { actor } = unit.scope
    const id = randomUUIDv7()
    const base = { id, version: 1, createdAt: now, createdBy: actor, updatedAt: now, updatedBy: actor }
    const stateSpec = table.state === undefined ? undefined : table.spec.fields[table.state]
    const state = stateSpec ? initialState(stateSpec) : ''
    const complete = table.state === undefined ? { ...values } : { ...values, [table.state]: state }
    const numbers = await takeDueNumbers(
      unit,
      table,
      complete,
      ({ at }) => at === undefined || at === state,
      now,
    )
    const record = recordOf(table, base, { ...complete, ...numbers })
    const explain = explainWrite(table, record)
    const insert = table.insert([
      unit.tenant,
      id,
      1,
      now,
      actor,
      now,
      actor,
      ...columnValues(table.fields, record),
    ])
    const statements = [insert, ...this.#lineInserts(unit, record)]
    if (unconfirmed) for (const statement of statements) unit.send(table.role, statement, explain)
    else await Promise.all(statements.map((statement) => unit.query(table.role, statement, explain)))
    this.#audit(unit, action, null, record, onBehalfOf)
    unit.locked.set(this.#lockKey(id), record)
    return record
  }

  async update(
    unit: UnitOfWork,
    id: string,
    changes: Values,
    { condition, versions, action = 'update', onBehalfOf }: ChangeOptions = {},
  ): Promise<EntityRecord | undefined> {
    const table = this.#table
    const before = await this.lock(unit, id, condition)
    if (!before) return undefined
    this.#checkVersion(before, versions)
    const changed = Object.entries(changes).filter(
      ([name, value]) => !isDeepStrictEqual(before[name] ?? null, value),
    )
    if (changed.length === 0) return before
    const names = new Set(changed.map(([name]) => name))
    const to = table.state !== undefined && names.has(table.state) ? changes[table.state] : undefined
    if (typeof to === 'string') checkTransition(table, before, to)
    checkMutable(table, before)
    const now = new Date().toISOString()
    const values = { ...before, ...Object.fromEntries(changed) }
    const numbers = await takeDueNumbers(unit, table, values, ({ at }) => at !== undefined && at === to, now)
    const { createdAt, createdBy } = before
    const base = { id: before.id, createdAt, createdBy, updatedAt: now, updatedBy: unit.scope.actor }
    const after = recordOf(table, { ...base, version: before.version + 1 }, { ...values, ...numbers })
    const explain = explainWrite(table, after)
    const statement = table.update([
      ...this.#unchanged(unit, before),
      after.version,
      now,
      unit.scope.actor,
      ...columnValues(table.fields, after),
    ])
    unit.send(table.role, statement, explain)
    for (const lines of table.lines) {
      if (names.has(lines.name)) unit.send(table.role, lines.clear([unit.tenant, before.id]))
    }
    for (const lines of this.#lineInserts(unit, after, names)) unit.send(table.role, lines, explain)
    this.#audit(unit, action, before, after, onBehalfOf)
    unit.locked.set(this.#lockKey(id), after)
    return after
  }

  async delete(
    unit: UnitOfWork,
    id: string,
    { condition, versions, action = 'delete', onBehalfOf }: ChangeOptions = {},
  ): Promise<EntityRecord | undefined> {
    const table = this.#table
    const before = await this.lock(unit, id, condition)
    if (!before) return undefined
    this.#checkVersion(before, versions)
    checkMutable(table, before)
    const explain = explainDelete(table, before.id)
    unit.send(table.role, table.remove(this.#unchanged(unit, before)), explain)
    this.#audit(unit, action, before, null, onBehalfOf)
    unit.locked.delete(this.#lockKey(id))
    return before
  }

  checkTransition(record: EntityRecord, to: string): void {
    checkTransition(this.#table, record, to)
  }

  #getStatement(tenant: string, id: string, condition: Condition | undefined): Statement {
    const isPlain = condition === undefined || isOpen(condition)
    if (isPlain && this.#namesTenant) return this.#table.get([tenant, id])
    return this.#select({ tenant, id, conditions: isPlain ? [] : [condition] })
  }

  /** What must still be so in the row when it is written, also where somebody forgot to look. */
  #unchanged(unit: UnitOfWork, before: EntityRecord): unknown[] {
    return [unit.tenant, before.id, before.version, this.#table.spec.immutableIn]
  }

  #checkVersion({ id, version }: EntityRecord, wanted: readonly number[] | undefined): void {
    if (wanted !== undefined && !wanted.includes(version)) {
      throw errors.versionConflict({ entity: this.entity, id, version })
    }
  }

  #lineInserts(unit: UnitOfWork, record: EntityRecord, names?: ReadonlySet<string>): Statement[] {
    return this.#table.lines.flatMap((lines) => {
      const values = record[lines.name]
      const isWritten = names ? names.has(lines.name) : true
      if (!isWritten || !Array.isArray(values) || values.length === 0) return []
      return [lines.insert([unit.tenant, record.id, linesAsJson(lines, values)])]
    })
  }

  #audit(
    unit: UnitOfWork,
    action: string,
    before: EntityRecord | null,
    after: EntityRecord | null,
    onBehalfOf?: string,
  ): void {
    const record = after?.id ?? before?.id ?? ''
    const behalf = onBehalfOf === undefined ? {} : { onBehalfOf }
    unit.audit({ module: this.module, entity: this.entity, record, action, before, after, ...behalf })
  }

  #lockKey(id: string): string {
    return `${this.#table.sqlName} ${id.toLowerCase()}`
  }
}
