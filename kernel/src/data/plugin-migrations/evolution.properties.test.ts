import type { EntitySpec, FieldSpec } from '@plinth/sdk'
import fc from 'fast-check'
import t from 'tap'
import { testDatabase } from '../../../../tests/support/database.ts'
import { entityOf } from '../../../../tests/support/manifest.ts'
import { anyEntities, laterEntities } from './any-entities.fixture.ts'
import { asOwner, type Entities, evolvingPlugin } from './evolving-plugin.fixture.ts'
import { removePluginSchema } from './remove-plugin-schema.ts'

const db = await testDatabase(t)
const tenant = await db.addTenant('one')

/** Columns, constraints, indexes, policies and rights: everything but the order of columns and their defaults. */
async function catalogueOf(schema: string, role: string): Promise<string[]> {
  const { rows } = await db.admin.query<{ line: string }>(
    `select format('%s.%s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull) as line
       from pg_attribute a join pg_class c on c.oid = a.attrelid
      where c.relnamespace = to_regnamespace($1) and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
     union all select format('%s %s %s %s', c.relname, k.conname, pg_get_constraintdef(k.oid), k.convalidated)
       from pg_constraint k join pg_class c on c.oid = k.conrelid where c.relnamespace = to_regnamespace($1)
     union all select format('%s %s', pg_get_indexdef(i.indexrelid), i.indisvalid)
       from pg_index i join pg_class c on c.oid = i.indrelid where c.relnamespace = to_regnamespace($1)
     union all select format('%s %s %s', c.relname, p.polname, pg_get_expr(p.polqual, p.polrelid))
       from pg_policy p join pg_class c on c.oid = p.polrelid where c.relnamespace = to_regnamespace($1)
     union all select format('%s %s %s', c.relname, c.relacl, c.relforcerowsecurity)
       from pg_class c where c.relnamespace = to_regnamespace($1) and c.relkind = 'r'`,
    [schema],
  )
  return rows.map(({ line }) => line.replaceAll(schema, 'plugin').replaceAll(role, 'role')).sort()
}

interface Change {
  readonly entities: Entities
  readonly rename: readonly string[]
  readonly drop: readonly string[]
}

/** Renames or drops some fields and entities of what is there, as the seed says; what others refer to stays. */
function shakenUp(entities: Entities, seed: readonly number[], round: number): Change {
  const rename: string[] = []
  const drop: string[] = []
  let place = 0
  const draw = (sides: number) => (seed[place++ % seed.length] ?? 0) % sides
  const referred = new Set(Object.values(entities).flatMap(({ fields }) => targets(fields)))
  const kept = Object.entries(entities).flatMap(([name, entity]): [string, EntitySpec][] => {
    if (!referred.has(name) && draw(4) === 0) {
      drop.push(name)
      return []
    }
    const newName = draw(4) === 0 ? `entity${round}x${place}` : name
    if (newName !== name) rename.push(`${name}=${newName}`)
    const names = new Map<string, string>()
    const fields = Object.entries(entity.fields).flatMap(([field, spec]): [string, FieldSpec][] => {
      const fate = draw(5)
      // The last field of an entity cannot go.
      if (fate === 0 && field !== Object.keys(entity.fields)[0]) {
        drop.push(`${newName}.${field}`)
        return []
      }
      const newField = fate === 1 ? `field${round}x${place}` : field
      if (newField !== field) rename.push(`${name}.${field}=${newName}.${newField}`)
      names.set(field, newField)
      return [[newField, spec]]
    })
    const indexes = entity.indexes.flatMap((index) => {
      const renamed = index.flatMap((field) => names.get(field) ?? [])
      return renamed.length === index.length ? [renamed] : []
    })
    return [[newName, entityOf(Object.fromEntries(fields), { indexes })]]
  })
  const renames = new Map(rename.flatMap((one) => (one.includes('.') ? [] : [pairOf(one)])))
  const pointed = (spec: FieldSpec): FieldSpec => ({
    ...spec,
    ...(spec.entity !== undefined && { entity: renames.get(spec.entity) ?? spec.entity }),
    ...(spec.fields && { fields: mapped(spec.fields, pointed) }),
  })
  const after = kept.map(
    ([name, entity]) => [name, { ...entity, fields: mapped(entity.fields, pointed) }] as const,
  )
  return { entities: Object.fromEntries(after), rename, drop }
}

const pairOf = (rename: string): [string, string] => {
  const [from = '', to = ''] = rename.split('=')
  return [from, to]
}

const mapped = (fields: Readonly<Record<string, FieldSpec>>, map: (spec: FieldSpec) => FieldSpec) =>
  Object.fromEntries(Object.entries(fields).map(([name, spec]) => [name, map(spec)]))

const targets = (fields: Readonly<Record<string, FieldSpec>>): string[] =>
  Object.values(fields).flatMap((spec) => [
    ...(spec.entity === undefined ? [] : [spec.entity]),
    ...targets(spec.fields ?? {}),
  ])

async function rowsIn(schema: string): Promise<Record<string, unknown>[]> {
  const all: Record<string, unknown>[] = []
  for (const table of await tablesOf(schema)) {
    const { rows } = await db.admin.query<Record<string, unknown>>(`select * from ${schema}."${table}"`)
    t.equal(rows.length, 1, `one row in ${table}`)
    all.push(...rows)
  }
  return all
}

/** One row in each table, with a value in each column; texts and ids occur once in all of them. */
async function refill(schema: string): Promise<void> {
  for (const table of await tablesOf(schema)) {
    await db.admin.query(`truncate ${schema}."${table}" cascade`)
  }
  for (const table of await tablesOf(schema)) await insertInto(schema, table)
}

async function insertInto(schema: string, table: string): Promise<void> {
  // Foreign keys are not asked: the test is about values, not about what refers to what.
  await db.admin.query("set session_replication_role = 'replica'")
  const { rows } = await db.admin.query<{ name: string; type: string }>(
    `select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute
      where attrelid = to_regclass($1) and attnum > 0 and not attisdropped and attname <> 'tenant_id'`,
    [`${schema}."${table}"`],
  )
  const values: Record<string, string> = {
    uuid: 'gen_random_uuid()',
    text: 'gen_random_uuid()::text',
    integer: '7',
    numeric: "'1.50'",
    boolean: 'true',
    date: "'2026-02-28'",
  }
  const list = rows.map(({ type }) => values[type] ?? 'now()').join(', ')
  const columns = rows.map(({ name }) => `"${name}"`).join(', ')
  await db.admin.query(
    `insert into ${schema}."${table}" (tenant_id, ${columns}) values ('${tenant}', ${list})`,
  )
  await db.admin.query("set session_replication_role = 'origin'")
}

const tablesOf = async (schema: string): Promise<string[]> =>
  (
    await db.admin.query<{ name: string }>(
      `select relname as name from pg_class where relnamespace = to_regnamespace($1) and relkind = 'r' and relname <> 'number_series'`,
      [schema],
    )
  ).rows.map((row) => row.name)

/** What `after` would add to entities that are there; `laterEntities` adds to those of one name. */
const mergedNames = (after: Record<string, EntitySpec>, entities: Entities): Record<string, EntitySpec> => {
  const extra = mapped(after['account']?.fields ?? {}, (spec) =>
    refersTo(spec, entities) ? spec : { kind: 'int' },
  )
  return Object.fromEntries(Object.keys(entities).map((name) => [name, entityOf(extra)]))
}

const refersTo = (spec: FieldSpec, entities: Entities): boolean =>
  targets({ spec }).every((target) => target.includes('.') || Object.hasOwn(entities, target))

const seeds = fc.array(fc.nat(1000), { minLength: 20, maxLength: 40 })

t.test('whatever a plugin goes through, its tables end as if they had been made today', async (t) => {
  let run = 0
  await fc.assert(
    fc.asyncProperty(anyEntities, anyEntities, fc.tuple(seeds, seeds), async (one, two, shakes) => {
      const name = `evolve${run++}`
      const fresh = `fresh${name}`
      const plugin = evolvingPlugin(db, name)
      await plugin.become(one)
      const schema = `plugin_${name}`
      let entities: Record<string, EntitySpec> = one
      for (const [round, seed] of shakes.entries()) {
        await refill(schema)
        const before = new Set((await rowsIn(schema)).flatMap((row) => Object.values(row).map(String)))
        const change = shakenUp(entities, seed, round)
        await plugin.become(change.entities, change)
        entities = { ...change.entities }
        for (const row of await rowsIn(schema)) {
          const lost = Object.entries(row).filter(([, value]) => !before.has(String(value)))
          t.strictSame(lost, [], 'each column has the value that stood there before')
        }
        // Names of what is retired are taken until it is dropped.
        await plugin.contract()
        const grown = laterEntities(entities, mergedNames(two, entities))
        await plugin.become(grown)
        entities = grown
      }
      await evolvingPlugin(db, fresh).become(entities)
      t.strictSame(
        await catalogueOf(schema, `plinthtest_plugin_${name}`),
        await catalogueOf(`plugin_${fresh}`, `plinthtest_plugin_${fresh}`),
      )
      for (const module of [name, fresh]) {
        await asOwner(db, (owner) => removePluginSchema(owner, db.access.rolePrefix, module))
      }
    }),
    { numRuns: 4, endOnFailure: true },
  )
  t.equal(run, 4)
})
