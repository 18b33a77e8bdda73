// Runs the kernel's own migrations (the folder `migrations/` at the root) with umzug, as the owner login. What was
// run stands in kernel.migration. All that is pending commits together or not at all.
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type pg from 'pg'
import { Umzug } from 'umzug'

/** What a file in `migrations/` exports: SQL texts, constant. */
export interface KernelMigration {
  readonly up: string
  /** The way back. It may lose what `up` made room for, and nothing else. */
  readonly down: string
}

const folder = new URL('../../../../migrations/', import.meta.url)

const ledger = `
  create schema if not exists kernel;
  create table if not exists kernel.migration (
    name text primary key,
    applied_at timestamptz(3) not null default now()
  )`

/** @throws when the database has been migrated by a newer version than this one. */
export const migrateKernel = (owner: pg.Client): Promise<void> =>
  inTransaction(owner, async () => {
    await owner.query(ledger)
    const known = migrationFiles().map(nameOf)
    const unknown = (await executed(owner)).filter((name) => !known.includes(name))
    if (unknown.length > 0) {
      throw new Error(
        `The database was migrated by a newer Plinth (it has ${unknown.join(', ')}). Start that version instead.`,
      )
    }
    await kernelUmzug(owner).up()
  })

/** The way back, down to and including `name`. For operators and tests. */
export const revertKernel = (owner: pg.Client, name: string): Promise<void> =>
  inTransaction(owner, async () => {
    await kernelUmzug(owner).down({ to: name })
  })

async function inTransaction(client: pg.Client, work: () => Promise<void>): Promise<void> {
  await client.query('begin')
  try {
    await work()
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => undefined)
    throw error
  }
}

const migrationFiles = (): string[] =>
  readdirSync(fileURLToPath(folder))
    .filter((file) => /^\d{4}-[a-z0-9-]+\.ts$/.test(file))
    .sort()

const nameOf = (file: string): string => file.slice(0, -'.ts'.length)

async function executed(owner: pg.Client): Promise<string[]> {
  const { rows } = await owner.query<{ name: string }>('select name from kernel.migration order by name')
  return rows.map((row) => row.name)
}

const kernelUmzug = (owner: pg.Client) =>
  new Umzug<pg.Client>({
    migrations: migrationFiles().map((file) => ({
      name: nameOf(file),
      up: async () => {
        const { up } = await loadMigration(file)
        await owner.query(up)
      },
      down: async () => {
        const { down } = await loadMigration(file)
        await owner.query(down)
      },
    })),
    context: owner,
    storage: {
      async logMigration({ name }) {
        await owner.query('insert into kernel.migration (name) values ($1)', [name])
      },
      async unlogMigration({ name }) {
        await owner.query('delete from kernel.migration where name = $1', [name])
      },
      executed: () => executed(owner),
    },
    logger: undefined,
  })

const loadMigration = (file: string): Promise<KernelMigration> => import(new URL(file, folder).href)
