// For tests of the store: a database with the tables of some entities, their stores, and two tenants.
import { randomUUIDv7 } from 'node:crypto'
import type { EntitySpec, Manifest } from '@plinth/sdk'
import pg from 'pg'
import { type TestDatabase, testDatabase } from '../../../tests/support/database.ts'
import { entityOf, manifestOf } from '../../../tests/support/manifest.ts'
import { type EntityStore, entityStores } from './entity-store.ts'
import { applyPluginMigrations } from './plugin-migrations/apply-plugin-migrations.ts'
import { diffMigrations } from './plugin-migrations/diff-migrations.ts'
import { pluginRole } from './sql-names.ts'
import { openTenantConnections, type TenantConnections } from './tenant-connections.ts'
import { type UnitOfWork, type UnitScope, withUnitOfWork } from './unit-of-work.ts'

export interface StoreFixture {
  readonly database: TestDatabase
  readonly connections: TenantConnections
  readonly role: string
  readonly tenant: string
  readonly other: string
  store(entity: string): EntityStore
  /** One unit of work, for `tenant` unless another is named. */
  unit<T>(work: (unit: UnitOfWork) => Promise<T>, scope?: Partial<UnitScope>): Promise<T>
}

interface Test {
  teardown(work: () => Promise<void>): void
}

export const entity = entityOf

export const manifestWith = (entities: Readonly<Record<string, EntitySpec>>, name = 'trial'): Manifest =>
  manifestOf(name, entities)

/** Makes (or adds to) the tables of a manifest whose entities are all new. */
export async function makeTables(database: TestDatabase, manifest: Manifest): Promise<void> {
  const { operations } = diffMigrations({}, manifest)
  const owner = new pg.Client(database.access.owner)
  await owner.connect()
  try {
    await applyPluginMigrations(owner, database.access.rolePrefix, manifest, [
      { name: '0001-all', operations },
    ])
  } finally {
    await owner.end()
  }
}

export async function storeFixture(
  t: Test,
  entities: Readonly<Record<string, EntitySpec>>,
  options: { readonly max?: number } = {},
): Promise<StoreFixture> {
  const database = await testDatabase(t)
  const manifest = manifestWith(entities)
  await makeTables(database, manifest)
  const connections = openTenantConnections({
    connection: database.access.data,
    max: options.max ?? 8,
    log: { info: () => undefined, warn: () => undefined },
  })
  t.teardown(() => connections.close())
  const stores = entityStores(manifest, database.access.rolePrefix)
  const tenant = await database.addTenant('one')
  const other = await database.addTenant('two')
  return {
    database,
    connections,
    role: pluginRole(database.access.rolePrefix, manifest.name),
    tenant,
    other,
    store(name) {
      const store = stores[name]
      if (!store) throw new Error(`no entity ${name}`)
      return store
    },
    unit: (work, scope) =>
      withUnitOfWork(
        connections,
        { tenant, actor: 'ada', requestId: `request-${randomUUIDv7()}`, ...scope },
        work,
      ),
  }
}
