// Backfills, tenant by tenant: as the plugin's role under row-level security on the data login, so that a text that got
// past the vetting finds one tenant's rows of one plugin and nothing else. A tenant's rows and the note that it is done
// commit together.
import pg from 'pg'
import { quoteName } from '../sql-names.ts'
import { endWithUs } from './migration-session.ts'
import type { Fill } from './migration-steps.ts'
import { backendOf, tenantSetting } from './tenant-setting.ts'
import { vettedBackfill } from './vet-backfills.ts'

export interface FillPlace {
  readonly plugin: string
  readonly schema: string
  readonly role: string
  readonly migration: string
  readonly step: number
  /** Of whom a failure speaks. */
  readonly entity: string
}

/** For one tenant: a data connection that holds row locks for longer keeps its people waiting. */
const tenantDeadlineMs = 60_000
const tenantsPerList = 1_000

export async function fillTenants(
  owner: pg.Client,
  data: pg.ClientConfig,
  place: FillPlace,
  fill: Fill,
): Promise<void> {
  const text =
    fill.by === 'batches' ? fill.text : vettedBackfill(place.plugin, place.entity, fill.sql, fill.shape)
  const client = new pg.Client({ ...data, application_name: 'plinth-backfill' })
  // Heard by the query under way as well; without a listener it would end the process.
  client.on('error', () => undefined)
  await client.connect()
  try {
    await endWithUs(client)
    await client.query(`set statement_timeout = ${tenantDeadlineMs}`)
    if (serverVersion(await client.query('show server_version_num')) >= 170_000)
      await client.query(`set transaction_timeout = ${2 * tenantDeadlineMs}`)
    const setting = await tenantSetting(owner, await backendOf(client))
    for (;;) {
      const tenants = await tenantsLeft(owner, place)
      if (tenants.length === 0) return
      for (const tenant of tenants) {
        const value = await setting(tenant)
        await fillTenant(client, place, tenant, value, text, fill.by === 'batches')
      }
    }
  } finally {
    await client.end()
  }
}

const serverVersion = (result: pg.QueryResult<{ server_version_num: string }>): number =>
  Number(result.rows[0]?.server_version_num)

/** Tenants that come later need nothing: their records are written by the version that this migration is for. */
async function tenantsLeft(owner: pg.Client, place: FillPlace): Promise<string[]> {
  const { rows } = await owner.query<{ id: string }>(
    `select t.id from kernel.tenant t where not exists (
       select from kernel.plugin_backfill b
        where b.plugin = $1 and b.migration = $2 and b.step = $3 and b.tenant_id = t.id)
      order by t.id limit ${tenantsPerList}`,
    [place.plugin, place.migration, place.step],
  )
  return rows.map((row) => row.id)
}

async function fillTenant(
  client: pg.Client,
  place: FillPlace,
  tenant: string,
  setting: string,
  text: string,
  again: boolean,
): Promise<void> {
  const begin = `begin; set local role ${quoteName(place.role)}; set local plinth.tenant_id = ${pg.escapeLiteral(setting)}`
  try {
    while (again) {
      await client.query(begin)
      const { rowCount } = await client.query(text)
      await client.query('commit')
      if (rowCount === 0) break
    }
    await client.query(begin)
    await client.query(text)
    await client.query('set local role none')
    await client.query(
      'insert into kernel.plugin_backfill (plugin, migration, step, tenant_id) values ($1, $2, $3, $4)',
      [place.plugin, place.migration, place.step, tenant],
    )
    await client.query('commit')
  } catch (cause) {
    await client.query('rollback').catch(() => undefined)
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new Error(
      `The backfill of '${place.entity}' in '${place.migration}' failed for the tenant ${tenant}: ${reason}. Tenants before it are done and are not done again.`,
      { cause },
    )
  }
}
