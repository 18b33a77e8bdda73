// Brings a plugin's schema to what its migrations say. What comes first is one transaction that ends with the check of
// the catalogue, and a plugin's first migrations are nothing else. On tables that tenants use, what would keep them out
// runs outside of it, in steps that a later start continues. Runs on the owner login, never on one that became it.
import type { Manifest } from '@plinth/sdk'
import type pg from 'pg'
import { MigrationError, Umzug } from 'umzug'
import { allStand, type DefencesOff } from '../../defences.ts'
import { loginName } from '../bootstrap/login-roles.ts'
import { checkCatalogue } from '../check-catalogue.ts'
import { pluginSchema, quoteName } from '../sql-names.ts'
import { takeCanonicalNames } from './canonical-names.ts'
import { checkMigrations, migrationRefusal } from './check-migrations.ts'
import { compatibilityOf } from './compatibility.ts'
import { fillTenants } from './fill-tenants.ts'
import { foldMigrations } from './fold-operations.ts'
import {
  type MigrationPace,
  type MigrationSession,
  usualPace,
  withMigrationSession,
  withPluginLock,
} from './migration-session.ts'
import { stepsOf } from './migration-steps.ts'
import type { PluginMigration } from './operations.ts'
import { createNumberSeries, protectTable } from './plugin-ddl.ts'
import { makePluginRole, pluginGrants } from './plugin-role.ts'
import {
  checksumOf,
  conflictWith,
  recordedMigrations,
  type StepsDone,
  stepsDone,
} from './recorded-migrations.ts'
import { runStep } from './run-step.ts'
import { numberSeriesTable } from './storage-shape.ts'
import { vetBackfills } from './vet-backfills.ts'

export interface AppliedMigrations {
  /** The role the plugin's statements run as. */
  readonly role: string
  readonly schema: string
  /** Names of the migrations that ran now. */
  readonly applied: readonly string[]
}

export interface MigrationOptions {
  /** The data login, for backfills. */
  readonly data?: pg.ClientConfig
  readonly pace?: Partial<MigrationPace>
}

interface Target {
  readonly plugin: string
  readonly schema: string
  readonly role: string
  readonly data: pg.ClientConfig | undefined
}

/** Throws a sentence that names the plugin when the migrations and the manifest, or the database, do not agree. */
export async function applyPluginMigrations(
  owner: pg.Client,
  rolePrefix: string,
  manifest: Manifest,
  migrations: readonly PluginMigration[],
  options: MigrationOptions = {},
  off: DefencesOff = allStand,
): Promise<AppliedMigrations> {
  const plugin = manifest.name
  checkMigrations(manifest, migrations)
  const role = await makePluginRole(owner, rolePrefix, plugin)
  const target: Target = { plugin, schema: pluginSchema(plugin), role, data: options.data }
  const beforeCommit = async () => {
    await takeCanonicalNames(owner, target.schema)
    for (const grant of pluginGrants(role, plugin)) await owner.query(grant)
    if (off.has('catalogueCheck')) return
    const [ownerLogin, data] = [loginName(rolePrefix, 'owner'), loginName(rolePrefix, 'data')]
    const wrong = await checkCatalogue(owner, { schema: target.schema, owner: ownerLogin, role, data })
    if (wrong.length > 0) throw new Error(['Its schema is not as it must be.', ...wrong].join(' '))
  }
  const applied = new Set<string>()
  await withPluginLock(owner, plugin, () =>
    withMigrationSession(owner, { ...usualPace, ...options.pace }, beforeCommit, async (session) => {
      // Also when nothing is pending: the check at the end is due at every start.
      await session.inside(() => makeSchema(owner, target.schema))
      for (const name of await runPending(session, target, migrations)) applied.add(name)
      await session.inside(async () => undefined)
    }),
  ).catch((error: unknown) => {
    throw refusalOf(plugin, error)
  })
  return { role, schema: target.schema, applied: [...applied] }
}

/** Umzug says which migration it was, which helps; around what went wrong it puts its own error, with the connection in it. */
function refusalOf(plugin: string, error: unknown): Error {
  const isWrapped = error instanceof MigrationError && error.cause instanceof Error
  const cause = isWrapped ? error.cause : error
  const place = isWrapped ? `In '${error.migration.name}': ` : ''
  return migrationRefusal(plugin, [place + (cause instanceof Error ? cause.message : String(cause))], cause)
}

async function makeSchema(owner: pg.Client, schema: string): Promise<void> {
  const found = await owner.query('select from pg_namespace where nspname = $1', [schema])
  if (found.rowCount !== 0) return
  await owner.query(`create schema ${quoteName(schema)}`)
  await owner.query(createNumberSeries(schema))
  for (const statement of protectTable(schema, numberSeriesTable)) await owner.query(statement)
}

async function runPending(
  session: MigrationSession,
  target: Target,
  migrations: readonly PluginMigration[],
): Promise<string[]> {
  const { owner } = session
  const { plugin } = target
  const recorded = await recordedMigrations(owner, plugin)
  const done = await stepsDone(owner, plugin)
  const conflict = conflictWith(recorded, done, migrations)
  if (conflict !== undefined) throw new Error(conflict)
  vetBackfills(plugin, migrations, (name) => !recorded.some((row) => row.name === name))
  const fresh = recorded.length === 0 && done.size === 0
  const find = (name: string) => migrations.find((candidate) => candidate.name === name)
  const umzug = new Umzug<pg.Client>({
    migrations: migrations.map((migration, index) => ({
      name: migration.name,
      up: () => runMigration(session, target, migration, migrations.slice(0, index), fresh, done),
    })),
    context: owner,
    storage: {
      logMigration: ({ name }) =>
        session.inside(() => recordMigration(owner, plugin, find(name) ?? { name, operations: [] })),
      unlogMigration: () => Promise.reject(new Error('a plugin migration has no way back')),
      executed: async () => recorded.map((row) => row.name),
    },
    logger: undefined,
  })
  const ran = await umzug.up()
  return ran.map((migration) => migration.name)
}

async function runMigration(
  session: MigrationSession,
  target: Target,
  migration: PluginMigration,
  before: readonly PluginMigration[],
  fresh: boolean,
  done: StepsDone,
): Promise<void> {
  const { owner } = session
  const { plugin, schema, role, data } = target
  const steps = stepsOf(schema, migration, foldMigrations(before), fresh)
  for (const [index, step] of steps.entries()) {
    if (index < (done.get(migration.name)?.done ?? 0)) continue
    await runStep(session, schema, step, async ({ entity, fill }) => {
      if (!data) throw new Error('A backfill needs the data login, and none was given.')
      const place = { plugin, schema, role, migration: migration.name, step: index, entity }
      await fillTenants(owner, data, place, fill)
    })
    await session.inside(() =>
      owner.query(
        `insert into kernel.plugin_migration_step (plugin, migration, checksum, done) values ($1, $2, $3, $4)
         on conflict (plugin, migration) do update set done = excluded.done`,
        [plugin, migration.name, checksumOf(migration), index + 1],
      ),
    )
  }
}

async function recordMigration(owner: pg.Client, plugin: string, migration: PluginMigration): Promise<void> {
  const { compatibility } = compatibilityOf([migration])
  await owner.query(
    'insert into kernel.plugin_migration (plugin, name, checksum, compatible) values ($1, $2, $3, $4)',
    [plugin, migration.name, checksumOf(migration), compatibility === 'compatible'],
  )
  for (const table of ['kernel.plugin_migration_step', 'kernel.plugin_backfill']) {
    await owner.query(`delete from ${table} where plugin = $1 and migration = $2`, [plugin, migration.name])
  }
}
