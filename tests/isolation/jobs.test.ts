// Attacks on jobs through a whole kernel, each with every wall, and again with its wall taken down, when it succeeds.
import t from 'tap'
import type { Defence } from '../../kernel/src/defences.ts'
import { jobLab } from '../support/job-lab.ts'
import { type Reply, sender } from '../support/kernel.ts'
import { type JobPlace, jobAttacks } from './job-attacks.fixture.ts'

const told = ({ status, body }: Reply) => JSON.stringify({ status, body })

t.test('jobs', async (t) => {
  // Taken down and put up again between attacks: one kernel does for all of them.
  const off = new Set<Defence>()
  const lab = await jobLab(t, {}, { off })
  const own = await lab.openWorkshop()
  const made = await own.owner('POST', '/v1/me/keys', { name: 'reader', scopes: ['tenant.usage.read'] })
  t.equal(made.status, 201, told(made))
  const place: JobPlace = {
    own,
    member: await lab.addMember(own, 'member'),
    enemy: await lab.openWorkshop(),
    poor: (await lab.openTenant()).owner,
    key: sender(lab.kernel, {
      authorization: `Bearer ${String(made.body['key'])}`,
      'x-tenant-id': own.slug,
    }),
  }

  for (const { attack, expected, run, without } of jobAttacks) {
    await t.test(attack, async (t) => {
      t.match(told(await run(place)), expected)
      if (!without) return
      const [wall, success] = without
      off.add(wall)
      t.match(told(await run(place)), success, `without ${wall}`)
      off.delete(wall)
    })
  }

  await t.test('a job that enqueues too many is given up, and enqueues none', async (t) => {
    const id = await place.enemy.enqueue('many', { count: 501 })
    t.match(await place.enemy.jobIn(id, 'dead', 'done'), { state: 'dead', error: { code: 'LIMIT_EXCEEDED' } })
    const { body } = await place.enemy.owner('GET', '/v1/tenant/jobs?job=note&limit=200')
    t.same(
      (body['items'] as { input: { text: string } }[]).filter(({ input }) => input.text === 'of many'),
      [],
    )
    const few = await place.enemy.enqueue('many', { count: 480 })
    t.match(
      await place.enemy.jobIn(few, 'dead', 'done'),
      { state: 'done' },
      'a job may enqueue more than a request',
    )
  })

  await t.test('a tenant with 100,000 jobs waiting enqueues no more, and others do', async (t) => {
    const full = await lab.openWorkshop()
    await lab.database.admin.query(
      `insert into kernel.task (tenant_id, kind, queue, module, name, input, attempts_max, run_at, ready, actor, request_id)
       select $1, 'job', 'jobs.works', 'works', 'note', '{}', 1, now() + interval '1 day', false, 'x', 'x'
       from generate_series(1, 100000)`,
      [full.id],
    )
    const body = { job: 'note', input: '{"text":"one more"}' }
    t.match(await full.owner('POST', '/v1/works/enqueue', body), {
      status: 502,
      body: { code: 'LIMIT_EXCEEDED', limit: 'jobsWaiting' },
    })
    t.match(await full.owner('POST', '/v1/tenant/modules/works/jobs/note', { input: { text: 'x' } }), {
      status: 502,
      body: { limit: 'jobsWaiting' },
    })
    t.match(await own.owner('POST', '/v1/works/enqueue', body), { status: 200 })
  })

  await t.test('no role of a module may read or write tasks', async (t) => {
    const { rows } = await lab.database.admin.query(
      `select r.rolname from pg_roles r where r.rolname like '%plugin%'
          and (has_table_privilege(r.oid, 'kernel.task', 'select, insert, update, delete')
            or has_table_privilege(r.oid, 'kernel.job_schedule', 'select, insert, update, delete'))`,
    )
    t.same(rows, [])
  })
})
