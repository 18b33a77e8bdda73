// What the pending migrations of a plugin would do, without doing it: for the dry run of an upgrade. Reads the
// catalogue and nothing else.
import type { Manifest } from '@plinth/sdk'
import pg from 'pg'
import { entityTable, pluginSchema } from '../sql-names.ts'
import { checkMigrations, migrationRefusal } from './check-migrations.ts'
import {
  type Compatibility,
  compatibilityOf,
  compatibilityOfOperation,
  isDestructive,
} from './compatibility.ts'
import { foldMigrations } from './fold-operations.ts'
import {
  type DdlStatement,
  type LockLevel,
  type OperationPart,
  partsOf,
  type Step,
} from './migration-steps.ts'
import { operationSentence, wayBack } from './operation-sentences.ts'
import type { Operation, PluginMigration } from './operations.ts'
import { conflictWith, recordedMigrations, stepsDone } from './recorded-migrations.ts'
import { backendOf, tenantSetting } from './tenant-setting.ts'
import { vetBackfills } from './vet-backfills.ts'

export interface PlannedOperation {
  readonly migration: string
  readonly op: Operation['op']
  readonly sentence: string
  /** In the order in which they run. */
  readonly ddl: readonly string[]
  readonly table: string
  /** The strongest it takes; undefined when it takes none. */
  readonly lock: LockLevel | undefined
  /** Rows there are now, of all tenants; undefined when nobody knows. */
  readonly rows: number | undefined
  /** Whether it reads or rewrites the table, under whatever lock. */
  readonly work: DdlStatement['work']
  readonly compatibility: Compatibility
  readonly destructive: boolean
  /** How a later migration undoes it; undefined when none can. */
  readonly undo: string | undefined
}

export interface MigrationPlan {
  readonly plugin: string
  readonly schema: string
  /** The plugin has no tables yet. */
  readonly fresh: boolean
  readonly compatibility: Compatibility
  /** Why the version before must be gone first. */
  readonly reasons: readonly string[]
  readonly destructive: boolean
  readonly operations: readonly PlannedOperation[]
}

/** Throws, as applying would, when the migrations do not lead to the manifest or do not follow what has run. */
export async function planPluginMigrations(
  owner: pg.Client,
  _rolePrefix: string,
  manifest: Manifest,
  migrations: readonly PluginMigration[],
): Promise<MigrationPlan> {
  const plugin = manifest.name
  checkMigrations(manifest, migrations)
  const recorded = await recordedMigrations(owner, plugin)
  const done = await stepsDone(owner, plugin)
  const conflict = conflictWith(recorded, done, migrations)
  if (conflict !== undefined) throw migrationRefusal(plugin, [conflict])
  const schema = pluginSchema(plugin)
  const fresh = recorded.length === 0 && done.size === 0
  const ran = new Set(recorded.map((row) => row.name))
  try {
    vetBackfills(plugin, migrations, (name) => !ran.has(name))
  } catch (error) {
    throw migrationRefusal(plugin, [error instanceof Error ? error.message : String(error)], error)
  }
  const pending = migrations.filter((migration) => !ran.has(migration.name))
  const rows = await rowEstimates(owner, schema)
  const operations = pending.flatMap((migration) => {
    const before = foldMigrations(migrations.slice(0, migrations.indexOf(migration)))
    return partsOf(schema, migration, before, fresh).map(({ operation, part }) =>
      plannedOperation(migration.name, operation, part, rows),
    )
  })
  const destructive = operations.some((operation) => operation.destructive)
  return { plugin, schema, fresh, ...compatibilityOf(pending), destructive, operations }
}

function plannedOperation(
  migration: string,
  operation: Operation,
  part: OperationPart,
  rows: ReadonlyMap<string, number>,
): PlannedOperation {
  const steps = part.later.flatMap(statementsIn)
  const statements = [...part.tables, ...part.keys, ...steps]
  const table = statements[0]?.table ?? entityTable(operation.entity)
  return {
    migration,
    op: operation.op,
    sentence: operationSentence(operation),
    ddl: statements.map((statement) => statement.text),
    table,
    lock: strongest(
      lockOrder,
      statements.map((statement) => statement.lock),
    ),
    rows: rows.get(table),
    work:
      strongest(
        workOrder,
        statements.map((statement) => statement.work),
      ) ?? 'catalogue',
    compatibility: compatibilityOfOperation(operation),
    destructive: isDestructive(operation),
    undo: wayBack(operation),
  }
}

function statementsIn(step: Step): readonly DdlStatement[] {
  switch (step.kind) {
    case 'ddl':
      return step.statements
    case 'index':
      return [step.statement]
    case 'validate':
      return [...step.add, ...step.prove]
    case 'fill': {
      const text = step.fill.by === 'batches' ? step.fill.text : step.fill.sql
      return [{ text, table: step.table, lock: 'ROW EXCLUSIVE', work: 'scan' }]
    }
  }
}

const lockOrder: readonly LockLevel[] = [
  'ROW EXCLUSIVE',
  'SHARE UPDATE EXCLUSIVE',
  'SHARE ROW EXCLUSIVE',
  'ACCESS EXCLUSIVE',
]
const workOrder: readonly DdlStatement['work'][] = ['catalogue', 'scan', 'rewrite']

const strongest = <T>(order: readonly T[], given: readonly T[]): T | undefined =>
  order.findLast((one) => given.includes(one))

const countBelow = 10_000
const tenantsBelow = 100

/**
 * By table, over all tenants. Row-level security keeps the owner from counting them at once, so a small table is
 * counted tenant by tenant, and of a large one the statistics tell.
 */
async function rowEstimates(owner: pg.Client, schema: string): Promise<ReadonlyMap<string, number>> {
  const { rows } = await owner.query<{ name: string; quoted: string; estimate: string }>(
    `select c.relname as name, c.oid::regclass::text as quoted,
            greatest(c.reltuples, pg_stat_get_live_tuples(c.oid))::bigint as estimate
       from pg_class c where c.relnamespace = to_regnamespace($1) and c.relkind = 'r'`,
    [schema],
  )
  const tenants = await owner.query<{ id: string }>(
    `select id from kernel.tenant order by id limit ${tenantsBelow + 1}`,
  )
  const found = new Map<string, number>()
  for (const { name, quoted, estimate } of rows) {
    const isSmall = Number(estimate) < countBelow && tenants.rows.length <= tenantsBelow
    const ids = tenants.rows.map(({ id }) => id)
    found.set(name, isSmall ? await countedRows(owner, quoted, ids) : Number(estimate))
  }
  return found
}

async function countedRows(owner: pg.Client, table: string, tenants: readonly string[]): Promise<number> {
  let sum = 0
  const setting = await tenantSetting(owner, await backendOf(owner))
  await owner.query('begin read only')
  try {
    for (const tenant of tenants) {
      await owner.query(`set local plinth.tenant_id = ${pg.escapeLiteral(await setting(tenant))}`)
      const { rows } = await owner.query<{ count: number }>(
        `select count(*)::int as count from (select from ${table} limit ${countBelow}) as counted`,
      )
      sum += rows[0]?.count ?? 0
    }
  } finally {
    await owner.query('rollback')
  }
  return sum
}
