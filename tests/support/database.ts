// A database for one test file: cloned from a template that has the logins and the kernel's schema, dropped when the
// file ends. A connection that is still open then fails the test.
import { createHash, randomBytes, randomUUIDv7 } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Manifest } from '@plinth/sdk'
import pg from 'pg'
import { grantDatabase } from '../../kernel/src/data/bootstrap/lock-down-database.ts'
import { bootstrapDatabase, type DatabaseAccess, databaseAccess } from '../../kernel/src/data/bootstrap.ts'
import {
  type AppliedMigrations,
  applyPluginMigrations,
} from '../../kernel/src/data/plugin-migrations/apply-plugin-migrations.ts'
import { diffMigrations } from '../../kernel/src/data/plugin-migrations/diff-migrations.ts'
import { startTestCluster } from './cluster.ts'

export interface TestDatabase {
  /** As the kernel gets it from `bootstrapDatabase`. */
  readonly access: DatabaseAccess
  /** The superuser's URL of this database. */
  readonly adminUrl: string
  /** The superuser's connection, for looking at what no login may see. */
  readonly admin: pg.Client
  /** A connection that is closed when the test ends. */
  connect(as: pg.ClientConfig): Promise<pg.Client>
  /** Inserts a tenant and returns its id. */
  addTenant(slug: string): Promise<string>
  /** Makes the plugin's role, schema and tables. */
  installPlugin(manifest: Manifest): Promise<AppliedMigrations>
}

/** The part of a tap test that is used here. */
interface Ending {
  teardown(work: () => Promise<void>): void
}

/** Not the default prefix: a test run on a developer's own PostgreSQL must not meet his installation. */
export const testInstallation = { secret: 'a secret that is used in tests only', rolePrefix: 'plinthtest' }

/** SQL: how often roles of plugins are named in this database. Roles belong to the server, which other tests share. */
export const roleUses = `(SELECT count(*)::int FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid
  WHERE d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND r.rolname LIKE '${testInstallation.rolePrefix}_plugin_%')`

const leakDeadlineMs = 1_000
const templateLock = 0x7465_7374
const silent = { info: () => undefined, warn: () => undefined }

export async function testDatabase(t: Ending): Promise<TestDatabase> {
  const clusterUrl = await clusterFor(t)
  const template = await templateIn(clusterUrl)
  const name = `plinth_test_${randomBytes(6).toString('hex')}`
  await withClient(clusterUrl, (client) => client.query(`create database ${name} template ${template}`))
  const adminUrl = inDatabase(clusterUrl, name)
  const admin = new pg.Client({ connectionString: adminUrl, application_name: 'test-admin' })
  await admin.connect()
  const access = databaseAccess(admin, testInstallation)
  await grantDatabase(admin, testInstallation.rolePrefix)
  const opened: pg.Client[] = [admin]
  t.teardown(async () => {
    for (const client of opened) await client.end()
    await withClient(clusterUrl, async (client) => {
      const left = await connectionsLeft(client, name)
      await client.query(`drop database ${name} with (force)`)
      if (left.length > 0) throw new Error(`The test left database connections open: ${left.join(', ')}`)
    })
  })
  return {
    access,
    adminUrl,
    admin,
    async connect(as) {
      const client = new pg.Client(as)
      await client.connect()
      opened.push(client)
      return client
    },
    async addTenant(slug) {
      const id = randomUUIDv7()
      await admin.query('insert into kernel.tenant (id, slug, name) values ($1, $2, $2)', [id, slug])
      return id
    },
    async installPlugin(manifest) {
      const { operations } = diffMigrations({}, manifest)
      const owner = new pg.Client(access.owner)
      await owner.connect()
      try {
        return await applyPluginMigrations(owner, access.rolePrefix, manifest, [
          { name: '0001-first', operations },
        ])
      } finally {
        await owner.end()
      }
    },
  }
}

async function clusterFor(t: Ending): Promise<string> {
  const given = process.env['TEST_DATABASE_URL']
  if (given) return given
  const cluster = await startTestCluster()
  t.teardown(() => cluster.stop())
  return cluster.adminUrl
}

/** The template is made by the first who asks, beside its name and then renamed: half a template is never cloned. */
async function templateIn(clusterUrl: string): Promise<string> {
  const template = `plinth_test_template_${schemaDigest()}`
  await withClient(clusterUrl, async (client) => {
    await client.query('select pg_advisory_lock($1)', [templateLock])
    const found = await client.query('select from pg_database where datname = $1', [template])
    if (found.rowCount !== 0) return
    const unfinished = `${template}_new`
    await client.query(`drop database if exists ${unfinished} with (force)`)
    await client.query(`create database ${unfinished}`)
    await bootstrapDatabase({
      ...testInstallation,
      adminUrl: inDatabase(clusterUrl, unfinished),
      log: silent,
    })
    await client.query(`alter database ${unfinished} rename to ${template}`)
  })
  return template
}

/** A cluster that is kept between runs must not serve a template of yesterday's migrations. */
function schemaDigest(): string {
  const digest = createHash('sha256')
  for (const folder of ['../../migrations', '../../kernel/src/data/bootstrap']) {
    const path = fileURLToPath(new URL(folder, import.meta.url))
    for (const file of readdirSync(path).sort()) digest.update(readFileSync(join(path, file)))
  }
  return digest.digest('hex').slice(0, 12)
}

async function connectionsLeft(client: pg.Client, database: string): Promise<string[]> {
  const deadline = Date.now() + leakDeadlineMs
  for (;;) {
    const { rows } = await client.query<{ left: string }>(
      `select usename || ' (' || application_name || ') ' || left(query, 60) as left
         from pg_stat_activity where datname = $1`,
      [database],
    )
    if (rows.length === 0 || Date.now() > deadline) return rows.map((row) => row.left)
    await sleep(20)
  }
}

function inDatabase(url: string, database: string): string {
  const changed = new URL(url)
  changed.pathname = `/${database}`
  return changed.href
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
