import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { bearer, twoFactor } from 'better-auth/plugins'
import pg from 'pg'
import t from 'tap'
import { testDatabase } from '../../../../tests/support/database.ts'
import { migrateKernel, revertKernel } from './kernel-migrations.ts'

const db = await testDatabase(t)

t.test('the identity tables are the ones better-auth wants', async (t) => {
  const pool = new pg.Pool({ ...db.access.kernel, options: '-c search_path=identity' })
  const options = {
    database: pool,
    secret: 'Kp2vY7qLw9sXc4Tz8NfRb3HjM6uGdA1e',
    baseURL: 'http://localhost',
    emailAndPassword: { enabled: true },
    plugins: [bearer(), twoFactor()],
    telemetry: { enabled: false },
  }
  const plan = await getMigrations(options)
  t.strictSame(plan.toBeCreated, [])
  t.strictSame(plan.toBeAdded, [])
  t.strictSame(plan.toBeAddedIndexes, [])
  const auth = betterAuth(options)
  const body = { name: 'Ada', email: 'ada@example.com', password: 'correct horse' }
  t.match(await auth.api.signUpEmail({ body }), { user: { email: body.email }, token: String })
  t.match(await auth.api.signInEmail({ body }), { token: String })
  await pool.end()
})

t.test('the price book holds the ten modules and the four plans', async (t) => {
  const { rows } = await db.admin.query(
    `select p.code, p.monthly_price::text as price, count(*)::int as modules from kernel.plan p
       join kernel.plan_module m on m.plan_code = p.code group by 1, 2 order by p.monthly_price`,
  )
  t.strictSame(rows, [
    { code: 'starter', price: '19999.00', modules: 4 },
    { code: 'growth', price: '39999.00', modules: 6 },
    { code: 'professional', price: '59999.00', modules: 9 },
    { code: 'enterprise', price: '79999.00', modules: 10 },
  ])
  const sum = await db.admin.query(
    'select sum(monthly_price)::text as sum, count(module)::int as provided from kernel.catalogue_module',
  )
  t.strictSame(sum.rows, [{ sum: '69990.00', provided: 4 }])
})

t.test(
  'a slug that is no host name, an unknown role or plan, a currency of two letters: refused',
  async (t) => {
    for (const slug of ['', '-a', 'a-', 'A', 'a.b', 'ä', 'x'.repeat(64)]) {
      await t.rejects(db.addTenant(slug), { code: '23514' }, slug)
    }
    const tenant = await db.addTenant('good')
    const member = `insert into kernel.membership (tenant_id, user_id, role) values ($1, 'u', $2)`
    await t.rejects(db.admin.query(member, [tenant, 'guest']), { code: '23514' })
    for (const role of ['owner', 'admin', 'member']) {
      await db.admin.query(`${member} on conflict (tenant_id, user_id) do update set role = $2`, [
        tenant,
        role,
      ])
    }
    await t.rejects(db.admin.query(`update kernel.tenant set plan = 'gold'`), { code: '23503' })
    await t.rejects(db.admin.query(`update kernel.tenant set currency = 'RS'`), { code: '23514' })
  },
)

t.test('without a tenant, and after COMMIT, the tenant is NULL and not an error', async (t) => {
  const kernel = await db.connect(db.access.kernel)
  const tenant = () => kernel.query('select kernel.tenant_id() as id').then(({ rows }) => rows[0].id)
  t.equal(await tenant(), null)
  await kernel.query(`begin; set local plinth.tenant_id = '01890000-0000-7000-8000-000000000000'`)
  t.equal(await tenant(), '01890000-0000-7000-8000-000000000000')
  await kernel.query('commit')
  t.equal(await tenant(), null)
})

t.test('a database of a newer version is left alone', async (t) => {
  const owner = await db.connect(db.access.owner)
  await owner.query(`insert into kernel.migration (name) values ('9999-later')`)
  await t.rejects(migrateKernel(owner), {
    message: 'The database was migrated by a newer Plinth (it has 9999-later). Start that version instead.',
  })
  await owner.query(`delete from kernel.migration where name = '9999-later'`)
})

t.test('every migration has its way back, and can be run again', async (t) => {
  const owner = await db.connect(db.access.owner)
  const tables = async () =>
    (
      await owner.query(
        `select schemaname, tablename from pg_tables where schemaname in ('kernel', 'identity') order by 1, 2`,
      )
    ).rows
  const all = await tables()
  await revertKernel(owner, '0001-tenants')
  t.strictSame(await tables(), [{ schemaname: 'kernel', tablename: 'migration' }])
  await migrateKernel(owner)
  t.strictSame(await tables(), all)
})
