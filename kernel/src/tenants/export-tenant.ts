// Everything of a tenant in one archive, page by page as the reader takes it: what its modules keep, read as their roles
// under row-level security, and what the kernel keeps about it, but for what opens something. A tenant that is being
// worked in goes on meanwhile: each table is as it was when it was read.
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { createGzip } from 'node:zlib'
import type pg from 'pg'
import { auditedBy } from '../audit/write-audit.ts'
import { pluginRole } from '../data/sql-names.ts'
import type { TenantConnections } from '../data/tenant-connections.ts'
import { exportedColumns, type ReadText, type RowPage, readRows } from '../data/tenant-rows/read-rows.ts'
import { pluginSchemas, type TenantTable, tenantTables } from '../data/tenant-rows/tenant-tables.ts'
import { errors } from '../errors.ts'
import type { Located } from '../stages.ts'
import { archived, archiveEnd } from './archive.ts'
import type { RunControl } from './control-transaction.ts'

/** How the installation works with the tenant, and nothing that the tenant made. */
const notTheTenants: ReadonlySet<string> = new Set([
  ...['plugin_backfill', 'tenant_erasure', 'tenant_erasure_part', 'audit_seal', 'audit_checkpoint'],
])

interface Source {
  /** Folder and start of the names of its files. */
  readonly path: string
  readonly table: TenantTable
  pages(): AsyncGenerator<RowPage>
}

interface ExportedTable {
  readonly table: string
  readonly columns: TenantTable['columns']
  rows: number
  readonly files: { readonly name: string; readonly rows: number; readonly sha256: string }[]
}

export interface TenantExports {
  /** A gzipped tar. @throws EXPORT_UNDER_WAY */
  open(by: Located): Promise<Readable>
}

export function createTenantExports(parts: {
  readonly pool: pg.Pool
  readonly connections: Pick<TenantConnections, 'read'>
  readonly rolePrefix: string
  readonly runControl: RunControl
}): TenantExports {
  const { pool, connections, rolePrefix, runControl } = parts
  const underWay = new Set<string>()

  const readAs =
    (role: string, tenant: string): ReadText =>
    async (text, values) => {
      const { rows } = await connections.read(role, tenant, { text, values })
      return rows.map((row) => row.map((value) => (value === null ? null : String(value))))
    }

  const readKernel: ReadText = async (text, values) => {
    const { rows } = await pool.query<(string | null)[]>({ text, values: [...values], rowMode: 'array' })
    return rows
  }

  async function sourcesOf(tenant: string): Promise<Source[]> {
    const sources: Source[] = []
    const own = { sql: 't.tenant_id = $1', value: tenant }
    for (const table of await tenantTables(pool, ['kernel'])) {
      if (notTheTenants.has(table.table)) continue
      sources.push({ path: `kernel/${table.table}`, table, pages: () => readRows(table, readKernel, own) })
    }
    for (const { plugin, schema } of await pluginSchemas(pool)) {
      const read = readAs(pluginRole(rolePrefix, plugin), tenant)
      for (const table of await tenantTables(pool, [schema]))
        sources.push({ path: `${plugin}/${table.table}`, table, pages: () => readRows(table, read) })
    }
    return sources
  }

  /** Names and addresses of the members, which are the persons' and not the tenant's rows. */
  async function peopleOf(tenant: string): Promise<Buffer> {
    const { rows } = await pool.query<{ line: string }>(
      `SELECT json_build_object('id', u.id, 'name', u.name, 'email', u.email)::text AS line
         FROM kernel.membership m JOIN identity."user" u ON u.id = m.user_id WHERE m.tenant_id = $1 ORDER BY u.id`,
      [tenant],
    )
    return Buffer.from(rows.map(({ line }) => `${line}\n`).join(''))
  }

  async function* parted(tenant: string): AsyncGenerator<Buffer> {
    const at = new Date()
    const about = await pool.query('SELECT * FROM kernel.tenant WHERE id = $1', [tenant])
    yield* archived('kernel/tenant.json', Buffer.from(`${JSON.stringify(about.rows[0])}\n`), at)
    yield* archived('kernel/people.jsonl', await peopleOf(tenant), at)
    const tables: ExportedTable[] = []
    for (const { path, table, pages } of await sourcesOf(tenant)) {
      const exported: ExportedTable = { table: path, columns: exportedColumns(table), rows: 0, files: [] }
      for await (const { text, rows } of pages()) {
        const bytes = Buffer.from(text)
        const name = `${path}-${String(exported.files.length + 1).padStart(6, '0')}.jsonl`
        exported.files.push({ name, rows, sha256: createHash('sha256').update(bytes).digest('hex') })
        exported.rows += rows
        yield* archived(name, bytes, at)
      }
      tables.push(exported)
    }
    // Last, so that an archive that has it is whole.
    const manifest = { format: 1, tenant, at: at.toISOString(), tables }
    yield* archived('manifest.json', Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`), at)
    yield archiveEnd()
  }

  async function* whileUnderWay(tenant: string): AsyncGenerator<Buffer> {
    try {
      yield* parted(tenant)
    } finally {
      underWay.delete(tenant)
    }
  }

  return {
    async open(by) {
      const { id } = by.tenant
      if (underWay.has(id)) throw errors.exportUnderWay({ tenant: by.tenant.slug })
      underWay.add(id)
      try {
        await runControl((tx) =>
          tx.audit({ tenantId: id, ...auditedBy(by), entity: 'tenant', recordId: id, action: 'exported' }),
        )
      } catch (error) {
        underWay.delete(id)
        throw error
      }
      const parts = Readable.from(whileUnderWay(id), { objectMode: false, highWaterMark: 65_536 })
      const gzip = createGzip()
      // Who goes away ends the reading, and a reading that fails ends the answer without its last file.
      parts.on('error', (error) => gzip.destroy(error))
      gzip.on('close', () => {
        parts.destroy()
        underWay.delete(id)
      })
      return parts.pipe(gzip)
    },
  }
}
