// A version from the installation's own folder, on its way to being the stable one: at once where nobody is disturbed by
// that, else as an upgrade that lets requests wait, in all processes, while the tables change.
import type pg from 'pg'
import type { ChangeFeed } from '../data/change-feed.ts'
import { compatibilityOf } from '../data/plugin-migrations/compatibility.ts'
import type { LoadedPlugin } from './load-plugin.ts'
import { claimModule, readPlugin, writeVersion } from './plugin-store.ts'

export interface FolderParts {
  readonly pool: pg.Pool
  readonly feed: Pick<ChangeFeed, 'announce'>
  /** Begins the upgrade to a version that is written down, unless an operation on the module is under way. */
  readonly askUpgrade: (module: string, version: string) => Promise<void>
}

/**
 * Makes it the stable version with its tables brought up to date, or asks for the upgrade: then the version before is to
 * be served until that is done.
 */
export async function makeStable(parts: FolderParts, plugin: LoadedPlugin): Promise<'stable' | 'asked'> {
  const { pool } = parts
  const { name } = plugin.manifest
  const row = await readPlugin(pool, name)
  const isOwn = row?.package === plugin.package
  if (row && isOwn && row.stable !== null && row.stable !== plugin.version) {
    if (await disturbs(pool, plugin)) {
      await writeVersion(pool, name, plugin.code, plugin.manifest, { installedBy: 'installation' })
      await parts.askUpgrade(name, plugin.version)
      return 'asked'
    }
  }
  if (!(await isAheadOf(pool, plugin))) await plugin.migrate()
  const owner = await claimModule(pool, name, plugin.package)
  if (owner !== plugin.package)
    throw new Error(`provides the module '${name}', which belongs to ${owner} in this database`)
  await writeVersion(pool, name, plugin.code, plugin.manifest, { installedBy: 'installation' })
  await setStable(parts, name, plugin.version)
  return 'stable'
}

/** Processes that run already serve it then, too. */
async function setStable({ pool, feed }: FolderParts, module: string, version: string): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    const { rowCount } = await client.query(
      `UPDATE kernel.plugin SET previous = CASE WHEN stable = $2 THEN previous ELSE stable END, stable = $2,
              state = CASE WHEN state = 'installing' THEN 'active' ELSE state END
        WHERE module = $1 AND (stable IS DISTINCT FROM $2 OR state = 'installing')`,
      [module, version],
    )
    if (rowCount !== 0) await feed.announce(client, { kind: 'plugins', id: module })
    await client.query('COMMIT')
    client.release()
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined)
    client.release(true)
    throw error
  }
}

/** Processes that serve the version before could not go on, or an operator is changing the module at this moment. */
async function disturbs(pool: pg.Pool, { manifest, code }: LoadedPlugin): Promise<boolean> {
  const { rows } = await pool.query<{ name: string }>(
    'SELECT name FROM kernel.plugin_migration WHERE plugin = $1',
    [manifest.name],
  )
  const ran = new Set(rows.map((row) => row.name))
  const pending = code.migrations.filter((migration) => !ran.has(migration.name))
  if (compatibilityOf(pending).compatibility === 'exclusive') return true
  const underWay = await pool.query(
    `SELECT FROM kernel.plugin_operation WHERE module = $1 AND state IN ('running', 'undoing')`,
    [manifest.name],
  )
  return underWay.rowCount !== 0
}

/** Its tables have been brought further already, by a version that is on trial or was rolled back. */
async function isAheadOf(pool: pg.Pool, { manifest, code }: LoadedPlugin): Promise<boolean> {
  const { rows } = await pool.query<{ name: string; known: boolean }>(
    `SELECT m.name, EXISTS (SELECT FROM kernel.plugin_version v, jsonb_array_elements(v.migrations) k
                             WHERE v.module = m.plugin AND k->>'name' = m.name) AS known
       FROM kernel.plugin_migration m WHERE m.plugin = $1`,
    [manifest.name],
  )
  const own = new Set(code.migrations.map((migration) => migration.name))
  const further = rows.filter((row) => !own.has(row.name))
  const ran = new Set(rows.map((row) => row.name))
  return further.length > 0 && further.every((row) => row.known) && [...own].every((name) => ran.has(name))
}
