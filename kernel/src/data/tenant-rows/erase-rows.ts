// Deletes every row of one tenant. In a plugin's tables as its role under row-level security, so that no mistake here can
// reach another tenant; in the kernel's as their owner, who alone may take from the audit trail. Rows that refer to each
// other go in one statement: whether something still refers to them is asked at its end.
import pg from 'pg'
import type { DatabaseAccess } from '../bootstrap.ts'
import { backendOf, tenantSetting } from '../plugin-migrations/tenant-setting.ts'
import { pluginRole, quoteName } from '../sql-names.ts'
import { pluginSchemas, type TenantTable, tenantTables } from './tenant-tables.ts'

/** A tenant of many years; nobody waits for it. */
const statementMs = 60 * 60_000
/** As the sealer of the audit trail: rows must not be sealed while they go. */
export interface EraseLocks {
  readonly sealer: number
}

/** What stays: the tombstone, and what says that the tenant is gone. */
const kept: ReadonlySet<string> = new Set(['tenant_erasure', 'tenant_erasure_part'])

const at = ({ schema, table }: TenantTable): string => `${quoteName(schema)}.${quoteName(table)}`

/** One statement that deletes from all of them, and answers with the counts in their order. */
function deleteFrom(tables: readonly TenantTable[], where: string): string {
  const parts = tables.map((table, n) => `d${n} as (delete from ${at(table)} ${where} returning 1)`)
  const counts = tables.map((_, n) => `(select count(*) from d${n})`)
  return `with ${parts.join(', ')} select array[${counts.join(', ')}]::bigint[] as counts`
}

const note = `
  insert into kernel.tenant_erasure_part (tenant_id, part, rows)
  select $1, part, rows from unnest($2::text[], $3::bigint[]) as p(part, rows) where rows > 0`

async function withClient<T>(
  connection: pg.ClientConfig,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ ...connection, application_name: 'plinth-erasure' })
  // Heard by the query under way as well; without a listener it would end the process.
  client.on('error', () => undefined)
  await client.connect()
  try {
    await client.query(`set statement_timeout = ${statementMs}`)
    return await work(client)
  } finally {
    await client.end()
  }
}

async function unbounded(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ server_version_num: string }>('show server_version_num')
  if (Number(rows[0]?.server_version_num) >= 170_000)
    await client.query(`set transaction_timeout = ${2 * statementMs}`)
}

async function erasePlugin(
  client: pg.Client,
  role: string,
  setting: string,
  tenant: string,
  tables: readonly TenantTable[],
): Promise<number> {
  await client.query('begin')
  try {
    await client.query(
      `set local role ${quoteName(role)}; set local plinth.tenant_id = ${pg.escapeLiteral(setting)}`,
    )
    const counts = await countsOf(client, deleteFrom(tables, ''), [])
    await client.query('set local role none')
    await client.query(note, [tenant, tables.map(({ schema, table }) => `${schema}.${table}`), counts])
    await client.query('commit')
    return total(counts)
  } catch (error) {
    await client.query('rollback').catch(() => undefined)
    throw error
  }
}

async function countsOf(client: pg.Client, text: string, values: unknown[]): Promise<readonly string[]> {
  const { rows } = await client.query<{ counts: string[] }>(text, values)
  return rows[0]?.counts ?? []
}

const total = (counts: readonly string[]): number => counts.reduce((sum, count) => sum + Number(count), 0)

/** How many rows of plugins went. Zero: there was none left. */
export async function erasePluginRows(access: DatabaseAccess, tenant: string): Promise<number> {
  return withClient(access.owner, (owner) =>
    withClient(access.data, async (client) => {
      await unbounded(client)
      const setting = await (await tenantSetting(owner, await backendOf(client)))(tenant)
      let gone = 0
      for (const { plugin, schema } of await pluginSchemas(owner)) {
        const tables = await tenantTables(owner, [schema])
        if (tables.length > 0)
          gone += await erasePlugin(client, pluginRole(access.rolePrefix, plugin), setting, tenant, tables)
      }
      return gone
    }),
  )
}

/**
 * How many rows of the kernel's went; the tenant's own row loses all that it says. Undefined while the audit trail cannot
 * be taken yet: what was sealed last must not be among it, or the trail of all others would seem to be cut.
 */
export async function eraseKernelRows(
  access: DatabaseAccess,
  tenant: string,
  { sealer }: EraseLocks,
): Promise<number | undefined> {
  return withClient(access.owner, async (owner) => {
    await owner.query('begin')
    try {
      await owner.query('select pg_advisory_xact_lock($1)', [sealer])
      const sealed = await owner.query(
        `select from kernel.audit_seal where tenant_id = $1
            having max(to_turn) > (select coalesce(max(to_turn), 0) from kernel.audit_seal where tenant_id <> $1)`,
        [tenant],
      )
      if (sealed.rowCount !== 0) {
        await owner.query('rollback')
        return undefined
      }
      // A session that is confined to the tenant would be confined to nothing.
      await owner.query(
        'delete from identity.session where id in (select session_id from identity.session_tenant where tenant_id = $1)',
        [tenant],
      )
      const tables = (await tenantTables(owner, ['kernel', 'identity'])).filter(
        ({ table, schema }) => schema !== 'kernel' || !kept.has(table),
      )
      const counts = await countsOf(owner, deleteFrom(tables, 'where tenant_id = $1'), [tenant])
      await owner.query(note, [tenant, tables.map(({ schema, table }) => `${schema}.${table}`), counts])
      // The slug stays taken: whoever still has a link to it must not come to somebody else.
      await owner.query(
        `update kernel.tenant set name = '(erased)', company = null, country = null, state_reason = null, locale = 'en',
                time_zone = 'UTC', version = version + 1 where id = $1 and name <> '(erased)'`,
        [tenant],
      )
      await owner.query('commit')
      return total(counts)
    } catch (error) {
      await owner.query('rollback').catch(() => undefined)
      throw error
    }
  })
}
