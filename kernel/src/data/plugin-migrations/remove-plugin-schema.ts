// Takes a plugin out of the database: its schema with every tenant's rows, its role, what was noted of its migrations.
// One transaction: it is all there, or all gone, and a second time there is nothing to do.
import pg from 'pg'
import { loginName } from '../bootstrap/login-roles.ts'
import { pluginRole, pluginSchema, quoteName } from '../sql-names.ts'
import { type MigrationPace, usualPace, withMigrationSession, withPluginLock } from './migration-session.ts'

export interface RemovedTable {
  readonly table: string
  /** Of all tenants. */
  readonly rows: number
  /** With its indexes, in whole pages; what is stored out of line is not in it. */
  readonly bytes: number
}

export interface RemovalReceipt {
  readonly module: string
  readonly schema: string
  /** Empty when there was no schema any more. */
  readonly tables: readonly RemovedTable[]
  readonly rows: number
  readonly bytes: number
  readonly migrations: number
  /** The role that was dropped; undefined when there was none, or another database of the server uses it. */
  readonly role: string | undefined
}

export async function removePluginSchema(
  owner: pg.Client,
  rolePrefix: string,
  module: string,
  pace: Partial<MigrationPace> = {},
  /** Runs in the same transaction. */
  note: (receipt: RemovalReceipt) => Promise<void> = async () => undefined,
): Promise<RemovalReceipt> {
  const schema = pluginSchema(module)
  const role = pluginRole(rolePrefix, module)
  return withPluginLock(owner, module, () =>
    withMigrationSession(
      owner,
      { ...usualPace, ...pace },
      async () => undefined,
      (session) =>
        session.inside(async () => {
          const tables = await emptiedTables(owner, schema)
          await owner.query(`drop schema if exists ${quoteName(schema)} cascade`)
          const migrations = await forgetMigrations(owner, module)
          const dropped = await dropRole(owner, role, loginName(rolePrefix, 'data'))
          const [rows, bytes] = [
            sum(tables.map((table) => table.rows)),
            sum(tables.map((table) => table.bytes)),
          ]
          const receipt = {
            module,
            schema,
            tables,
            rows,
            bytes,
            migrations,
            role: dropped ? role : undefined,
          }
          await note(receipt)
          return receipt
        }),
    ),
  )
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)

/** Counted while nobody else can write: the receipt says exactly what is gone. */
async function emptiedTables(owner: pg.Client, schema: string): Promise<RemovedTable[]> {
  const { rows } = await owner.query<{ name: string }>(
    `select relname as name from pg_class where relnamespace = to_regnamespace($1) and relkind = 'r' order by 1`,
    [schema],
  )
  const removed: RemovedTable[] = []
  for (const { name } of rows) {
    const table = `${quoteName(schema)}.${quoteName(name)}`
    // The owner sees the rows of all tenants only without it; nobody else sees the table before it is gone.
    await owner.query(`alter table ${table} no force row level security`)
    const counted = await owner.query<{ rows: string }>(`select count(*) as rows from ${table}`)
    // The size functions are closed to this login; ANALYZE notes the pages where it may read them.
    await owner.query(`analyze ${table}`)
    const sized = await owner.query<{ bytes: string }>(
      `select sum(c.relpages) * current_setting('block_size')::bigint as bytes from pg_class c
        where c.oid = $1::regclass or c.oid in (select indexrelid from pg_index where indrelid = $1::regclass)`,
      [table],
    )
    removed.push({ table: name, rows: Number(counted.rows[0]?.rows), bytes: Number(sized.rows[0]?.bytes) })
  }
  return removed
}

async function forgetMigrations(owner: pg.Client, module: string): Promise<number> {
  await owner.query('delete from kernel.plugin_backfill where plugin = $1', [module])
  await owner.query('delete from kernel.plugin_migration_step where plugin = $1', [module])
  const { rowCount } = await owner.query('delete from kernel.plugin_migration where plugin = $1', [module])
  return rowCount ?? 0
}

/** Roles belong to the server: another database of it may have the same plugin. */
async function dropRole(owner: pg.Client, role: string, data: string): Promise<boolean> {
  const found = await owner.query('select from pg_roles where rolname = $1', [role])
  if (found.rowCount === 0) return false
  await owner.query(`revoke execute on function kernel.tenant_id() from ${quoteName(role)}`)
  await owner.query('savepoint role')
  try {
    await owner.query(`revoke ${quoteName(role)} from ${quoteName(data)}`)
    await owner.query(`drop role ${quoteName(role)}`)
    return true
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || error.code !== dependentObjects) throw error
    await owner.query('rollback to savepoint role')
    return false
  }
}

const dependentObjects = '2BP01'
