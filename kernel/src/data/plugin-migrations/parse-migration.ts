// Reads a migration that came with a package. A plugin wrote it: nothing about it is true before it is checked here.
import type { FieldSpec, Json } from '@plinth/sdk'
import semver from 'semver'
import {
  type Operation,
  type PluginMigration,
  type StoredEntity,
  type StoredField,
  storedField,
} from './operations.ts'

const largestMigration = 1_000
const largestSql = 16_384
const key = /^[a-z][A-Za-z0-9]{0,40}$/

/** `name` is the file's name without its ending. Throws a sentence that says where it is wrong. */
export function parseMigration(name: string, value: unknown): PluginMigration {
  if (!/^\d{4}-[a-z0-9-]{1,60}$/.test(name)) {
    throw new Error(`The migration '${name}' must be named like 0001-first.`)
  }
  const { operations, release } = asObject(value, name)
  if (release !== undefined && (typeof release !== 'string' || semver.valid(release) !== release)) {
    throw new Error(`${name}.release: '${String(release).slice(0, 40)}' is not a version like 1.2.0.`)
  }
  if (!Array.isArray(operations) || operations.length > largestMigration) {
    throw new Error(`${name}: operations must be a list of at most ${largestMigration}.`)
  }
  return {
    name,
    ...(release !== undefined && { release }),
    operations: operations.map((item, index) => parseOperation(item, `${name}.operations.${index}`)),
  }
}

function parseOperation(value: unknown, path: string): Operation {
  const item = asObject(value, path)
  const entity = asKey(item['entity'], `${path}.entity`)
  const to = () => asKey(item['to'], `${path}.to`)
  const place = () => ({
    entity,
    ...('lines' in item && { lines: asKey(item['lines'], `${path}.lines`) }),
    field: asKey(item['field'], `${path}.field`),
  })
  const op = item['op']
  switch (op) {
    case 'createEntity':
      return { op, entity, spec: parseEntity(item['spec'], `${path}.spec`) }
    case 'renameEntity':
      return { op, entity, to: to() }
    case 'retireEntity':
    case 'restoreEntity':
    case 'dropEntity':
      return { op, entity }
    case 'addField':
      return { op, ...place(), spec: parseField(item['spec'], `${path}.spec`, !('lines' in item)) }
    case 'renameField':
      return { op, ...place(), to: to() }
    case 'fillField':
      return { op, ...place(), value: asFilling(item['value'], `${path}.value`) }
    case 'retireField':
    case 'restoreField':
    case 'dropField':
    case 'makeOptional':
    case 'makeRequired':
    case 'addUnique':
    case 'dropUnique':
      return { op, ...place() }
    case 'addIndex':
    case 'retireIndex':
    case 'restoreIndex':
    case 'dropIndex':
      return { op, entity, fields: asKeys(item['fields'], `${path}.fields`) }
    case 'backfill':
      return { op, entity, sql: asSql(item['sql'], `${path}.sql`) }
    default:
      throw new Error(`${path}.op: there is no operation '${String(op).slice(0, 40)}'.`)
  }
}

/** Whether the value fits the field is known when the field is: see column-defaults.ts. */
function asFilling(value: unknown, path: string): Json {
  if (['string', 'number', 'boolean'].includes(typeof value) || (typeof value === 'object' && value !== null))
    return JSON.parse(JSON.stringify(value))
  throw new Error(`${path} must be a value of the field.`)
}

/** What it says is decided by the vetting, when the tables it may name are known. */
function asSql(value: unknown, path: string): string {
  if (typeof value === 'string' && value.trim() !== '' && value.length <= largestSql) return value
  throw new Error(`${path} must be one UPDATE of at most ${largestSql} characters.`)
}

function parseEntity(value: unknown, path: string): StoredEntity {
  const { fields, indexes } = asObject(value, path)
  if (!Array.isArray(indexes)) throw new Error(`${path}.indexes must be a list.`)
  return {
    fields: parseFields(fields, `${path}.fields`, true),
    indexes: indexes.map((index, number) => asKeys(index, `${path}.indexes.${number}`)),
  }
}

const parseFields = (value: unknown, path: string, lines: boolean): Record<string, StoredField> =>
  Object.fromEntries(
    Object.entries(asObject(value, path)).map(([name, spec]) => [
      asKey(name, path),
      parseField(spec, `${path}.${name}`, lines),
    ]),
  )

function parseField(value: unknown, path: string, lines = true): StoredField {
  const spec = asObject(value, path)
  const kind = storedKinds.find((known) => known === spec['kind'])
  if (!kind || (kind === 'lines' && !lines))
    throw new Error(`${path}.kind: '${String(spec['kind']).slice(0, 40)}' is not stored.`)
  const field: FieldSpec = {
    kind,
    ...(spec['optional'] === true && { optional: true }),
    ...(spec['unique'] === true && { unique: true }),
    ...(typeof spec['entity'] === 'string' && { entity: asTarget(spec['entity'], `${path}.entity`) }),
    ...(typeof spec['at'] === 'string' && { at: asKey(spec['at'], `${path}.at`) }),
    ...(typeof spec['initial'] === 'string' && { initial: asKey(spec['initial'], `${path}.initial`) }),
    ...('default' in spec && { default: JSON.parse(JSON.stringify(spec['default'])) }),
    ...(kind === 'lines' && { fields: parseFields(spec['fields'], `${path}.fields`, false) }),
  }
  return storedField(field)
}

const storedKinds = [
  'text',
  'int',
  'decimal',
  'bool',
  'date',
  'money',
  'choice',
  'ref',
  'sequence',
  'state',
  'lines',
] as const

function asObject(value: unknown, path: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`${path} must be an object.`)
  return Object.fromEntries(Object.entries(value))
}

function asKey(value: unknown, path: string): string {
  if (typeof value === 'string' && key.test(value)) return value
  throw new Error(`${path}: '${String(value).slice(0, 60)}' cannot be a name.`)
}

const asKeys = (value: unknown, path: string): string[] => {
  if (!Array.isArray(value) || value.length === 0) throw new Error(`${path} must be a list of field names.`)
  return value.map((item, index) => asKey(item, `${path}.${index}`))
}

function asTarget(value: string, path: string): string {
  const [first = '', second] = value.split('.', 2)
  return second === undefined ? asKey(first, path) : `${asKey(first, path)}.${asKey(second, path)}`
}
