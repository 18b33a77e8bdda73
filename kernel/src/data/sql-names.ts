// How names of plugins, entities and fields become SQL names. DDL and queries both take them from here, so that
// they cannot differ. A manifest key has no underscore, so two keys never become one name.
import { createHash } from 'node:crypto'

/** PostgreSQL cuts a longer identifier silently, and two cut names could be equal. */
const longest = 63

/** `name`, or its start and a digest of all of it when PostgreSQL would cut it. */
export function sqlName(name: string): string {
  if (!/^[a-z][a-z0-9_]*$/.test(name)) throw new Error(`'${name}' cannot be an SQL name`)
  if (name.length <= longest) return name
  return `${name.slice(0, longest - 9)}_${createHash('sha256').update(name).digest('hex').slice(0, 8)}`
}

/** `journalEntry` -> `journal_entry` */
export const snakeCase = (key: string): string =>
  key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** For an identifier in SQL text. Every name in SQL text passes here, also those of a closed set. */
export function quoteName(name: string): string {
  if (!/^[a-z_][a-z0-9_]*$/.test(name) || name.length > longest)
    throw new Error(`'${name}' cannot be an SQL name`)
  return `"${name}"`
}

export const pluginSchema = (plugin: string): string => sqlName(`plugin_${plugin}`)

export const pluginRole = (rolePrefix: string, plugin: string): string =>
  sqlName(`${rolePrefix}_plugin_${plugin}`)

export const entityTable = (entity: string): string => sqlName(snakeCase(entity))

export const linesTable = (entity: string, field: string): string =>
  sqlName(`${snakeCase(entity)}_${snakeCase(field)}`)

/** The column of a lines table that holds its record's id. */
export const parentColumn = (entity: string): string => sqlName(`${snakeCase(entity)}_id`)

/** Columns are those after tenant_id, which every key starts with. */
export const constraintName = (
  table: string,
  columns: readonly string[],
  kind: 'key' | 'fkey' | 'idx',
): string => sqlName(`${table}_${columns.join('_')}_${kind}`)
