// Brings a plugin's schema to what its migrations say, in one transaction that ends with the check of the catalogue:
// either the schema is as it must be, or nothing has changed. Runs on the owner login, never on one that became it.
import { createHash } from 'node:crypto'
import type { Json, Manifest } from '@plinth/sdk'
import type pg from 'pg'
import { Umzug } from 'umzug'
import { loginName } from '../bootstrap/login-roles.ts'
import { checkCatalogue } from '../check-catalogue.ts'
import { pluginSchema, quoteName } from '../sql-names.ts'
import { diffMigrations } from './diff-migrations.ts'
import type { Operation, PluginMigration } from './operations.ts'
import { createNumberSeries, ddlOf, protectTable } from './plugin-ddl.ts'
import { makePluginRole, pluginGrants } from './plugin-role.ts'
import { foldMigrations, numberSeriesTable } from './storage-shape.ts'

export interface AppliedMigrations {
  /** The role the plugin's statements run as. */
  readonly role: string
  readonly schema: string
  /** Names of the migrations that ran now. */
  readonly applied: readonly string[]
}

/** Throws a sentence that names the plugin when the migrations and the manifest, or the database, do not agree. */
export async function applyPluginMigrations(
  owner: pg.Client,
  rolePrefix: string,
  manifest: Manifest,
  migrations: readonly PluginMigration[],
): Promise<AppliedMigrations> {
  const plugin = manifest.name
  checkMigrations(manifest, migrations)
  const role = await makePluginRole(owner, rolePrefix, plugin)
  const schema = pluginSchema(plugin)
  await owner.query('begin')
  try {
    await owner.query('select pg_advisory_xact_lock($1, hashtext($2))', [pluginLock, plugin])
    await makeSchema(owner, schema)
    const applied = await runPending(owner, plugin, schema, migrations)
    for (const grant of pluginGrants(role, plugin)) await owner.query(grant)
    const wrong = await checkCatalogue(owner, { schema, owner: loginName(rolePrefix, 'owner'), role })
    if (wrong.length > 0) throw new Error(refusal(plugin, ['Its schema is not as it must be.', ...wrong]))
    await owner.query('commit')
    return { role, schema, applied }
  } catch (error) {
    await owner.query('rollback').catch(() => undefined)
    throw error
  }
}

/** One migration of a plugin at a time; the lock of the bootstrap has one number, this one has two. */
const pluginLock = 1

/** The migrations, from the first to the last, must give what the manifest declares. */
function checkMigrations(manifest: Manifest, migrations: readonly PluginMigration[]): void {
  const names = migrations.map((migration) => migration.name)
  const outOfOrder = names.find((name, index) => index > 0 && name <= (names[index - 1] ?? ''))
  if (outOfOrder !== undefined) {
    throw new Error(refusal(manifest.name, [`Its migration '${outOfOrder}' is out of order.`]))
  }
  const shape = foldMigrations(migrations.flatMap((migration) => migration.operations))
  const { operations, refusals } = diffMigrations(shape, manifest)
  if (operations.length === 0 && refusals.length === 0) return
  const missing = operations.map((operation) => `Its migrations lack ${describe(operation)}.`)
  throw new Error(refusal(manifest.name, [...refusals, ...missing]))
}

const describe = (operation: Operation): string => {
  const place = [operation.entity, ...('lines' in operation ? [operation.lines] : [])]
  if (operation.op === 'createEntity') return `createEntity '${operation.entity}'`
  if (operation.op === 'addIndex') return `addIndex on ${operation.entity} (${operation.fields.join(', ')})`
  return `${operation.op} '${[...place, operation.field].join('.')}'`
}

const refusal = (plugin: string, sentences: readonly string[]): string =>
  `The tables of plugin '${plugin}' cannot be made. ${sentences.join(' ')}`

async function makeSchema(owner: pg.Client, schema: string): Promise<void> {
  const found = await owner.query('select from pg_namespace where nspname = $1', [schema])
  if (found.rowCount !== 0) return
  await owner.query(`create schema ${quoteName(schema)}`)
  await owner.query(createNumberSeries(schema))
  for (const statement of protectTable(schema, numberSeriesTable)) await owner.query(statement)
}

async function runPending(
  owner: pg.Client,
  plugin: string,
  schema: string,
  migrations: readonly PluginMigration[],
): Promise<string[]> {
  await checkRecorded(owner, plugin, migrations)
  const umzug = new Umzug<pg.Client>({
    migrations: migrations.map((migration, index) => ({
      name: migration.name,
      up: async () => {
        const before = migrations.slice(0, index).flatMap((earlier) => earlier.operations)
        for (const statement of statementsOf(schema, migration, before)) await owner.query(statement)
      },
    })),
    context: owner,
    storage: {
      async logMigration({ name }) {
        const migration = migrations.find((candidate) => candidate.name === name)
        await owner.query(
          'insert into kernel.plugin_migration (plugin, name, checksum) values ($1, $2, $3)',
          [plugin, name, migration ? checksumOf(migration) : ''],
        )
      },
      unlogMigration: () => Promise.reject(new Error('a plugin migration has no way back')),
      executed: async () => (await recorded(owner, plugin)).map((row) => row.name),
    },
    logger: undefined,
  })
  const ran = await umzug.up().catch((cause: unknown) => {
    throw new Error(refusal(plugin, [cause instanceof Error ? cause.message : String(cause)]), { cause })
  })
  return ran.map((migration) => migration.name)
}

function statementsOf(schema: string, migration: PluginMigration, before: readonly Operation[]): string[] {
  const ddl = migration.operations.map((operation, index) =>
    ddlOf(schema, operation, foldMigrations([...before, ...migration.operations.slice(0, index)])),
  )
  return [...ddl.flatMap((part) => part.tables), ...ddl.flatMap((part) => part.constraints)]
}

/** What ran once must be the same for ever, or this database and the next one would differ. */
async function checkRecorded(
  owner: pg.Client,
  plugin: string,
  migrations: readonly PluginMigration[],
): Promise<void> {
  const rows = await recorded(owner, plugin)
  for (const [index, row] of rows.entries()) {
    const migration = migrations[index]
    if (migration?.name !== row.name) {
      const known = migrations.some((candidate) => candidate.name === row.name)
      const sentence = known
        ? `Its migration '${migration?.name}' was added before '${row.name}', which has already run.`
        : `The database has its migration '${row.name}', which this version of the plugin does not know. Install a newer one.`
      throw new Error(refusal(plugin, [sentence]))
    }
    if (checksumOf(migration) !== row.checksum) {
      throw new Error(
        refusal(plugin, [
          `Its migration '${row.name}' has already run and was changed since. Restore it and add another.`,
        ]),
      )
    }
  }
}

async function recorded(owner: pg.Client, plugin: string): Promise<{ name: string; checksum: string }[]> {
  const { rows } = await owner.query<{ name: string; checksum: string }>(
    'select name, checksum from kernel.plugin_migration where plugin = $1 order by name collate "C"',
    [plugin],
  )
  return rows
}

/** Of the meaning, not of the text: a formatter may touch the file. */
export const checksumOf = (migration: PluginMigration): string =>
  createHash('sha256').update(JSON.stringify(migration.operations, sortedKeys)).digest('hex')

const sortedKeys = (_key: string, value: Json | undefined): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value
