// Jobs from being enqueued to their end, in a real kernel: what commits, what is tried again, what waits for what.
import t from 'tap'
import { type Job as Json, jobLab, until } from '../support/job-lab.ts'

t.test('a job is enqueued with what the request commits', async (t) => {
  const lab = await jobLab(t)
  const shop = await lab.openWorkshop()

  await t.test('and runs afterwards, in the name of who asked, with the right of the module', async (t) => {
    const member = lab.workshop({ ...shop, owner: await lab.addMember(shop, 'member') })
    const id = await member.enqueue('note', { text: 'hello', n: 7 })
    const job = await shop.jobIn(id, 'done')
    t.match(job, {
      id,
      module: 'works',
      job: 'note',
      state: 'done',
      input: { text: 'hello', n: 7 },
      attempt: 1,
      attemptsMax: 5,
      result: { job: id, attempt: 1, may: true },
    })
    t.match(job['result'], { by: job['startedBy'] })
    t.same(await shop.marks(), ['hello 7'])
    const { body } = await shop.owner('GET', `/v1/tenant/audit?entity=mark&action=create`)
    const [row] = body['items'] as unknown[]
    t.match(row, { via: `job:${id}`, actor: { id: job['startedBy'] } }, 'and the audit trail says so')
  })

  await t.test('and not when the request fails', async (t) => {
    for (const [then, status] of [
      ['fail', 409],
      ['throw', 502],
    ] as const) {
      const input = JSON.stringify({ text: 'never' })
      t.equal((await shop.owner('POST', '/v1/works/enqueue', { job: 'note', input, then })).status, status)
    }
    const { rows } = await lab.database.admin.query(
      `select from kernel.task where tenant_id = $1 and input->>'text' = 'never'`,
      [shop.id],
    )
    t.equal(rows.length, 0)
  })

  await t.test('not with an input that does not fit, and the field is named', async (t) => {
    const wrong = { job: 'note', input: JSON.stringify({ txet: 'x', n: 'many' }) }
    const { status, body } = await shop.owner('POST', '/v1/works/enqueue', wrong)
    t.equal(status, 422)
    const found = (body['errors'] as { field: string; message: string }[]).map(({ field }) => field)
    t.same(found.sort(), ['n', 'text', 'txet'])
  })

  await t.test('a job enqueues the next', async (t) => {
    await shop.enqueue('chain', { left: 3 })
    const chain = (marks: string[]) => marks.filter((mark) => mark.startsWith('chain'))
    t.same(chain(await until(shop.marks, (marks) => chain(marks).length === 4)), [
      'chain 3',
      'chain 2',
      'chain 1',
      'chain',
    ])
  })

  await t.test('there is no ctx.job outside one', async (t) => {
    t.same((await shop.owner('GET', '/v1/works/outside')).body, { job: 'undefined' })
  })
})

t.test('a job that fails', async (t) => {
  const lab = await jobLab(t)
  const shop = await lab.openWorkshop()

  await t.test('is tried again, and leaves nothing of the attempts that failed', async (t) => {
    const job = await shop.jobIn(await shop.enqueue('flaky', { text: 'twice', fails: 2 }), 'done', 'dead')
    t.match(job, { state: 'done', attempt: 3, result: { attempt: 3 } })
    t.same(await shop.marks(), ['twice 3'])
  })

  await t.test('too often is given up, with the words of its author', async (t) => {
    const job = await shop.jobIn(await shop.enqueue('flaky', { text: 'always', fails: 9 }), 'done', 'dead')
    t.match(job, {
      state: 'dead',
      attempt: 3,
      error: { code: 'PLUGIN_FAILED', message: 'attempt 3 of always' },
    })
    t.ok(job['endedAt'])
    t.same((await shop.marks()).includes('always 3'), false)
  })

  await t.test('with a refusal says which', async (t) => {
    const job = await shop.jobIn(await shop.enqueue('refusing'), 'done', 'dead')
    t.match(job, { state: 'dead', error: { code: 'NOT_NOW', message: 'Not now, friend.' } })
  })

  await t.test('by returning too much is undone', async (t) => {
    const job = await shop.jobIn(await shop.enqueue('large'), 'done', 'dead')
    t.match(job, { state: 'dead', error: { code: 'LIMIT_EXCEEDED' } })
    t.notOk((await shop.marks()).includes('large'))
  })

  await t.test('by hand gets as many attempts again', async (t) => {
    const id = await shop.enqueue('flaky', { text: 'later', fails: 4 })
    await shop.jobIn(id, 'dead')
    const retried = await shop.owner('POST', `/v1/tenant/jobs/${id}/retry`)
    t.match(retried, { status: 200, body: { state: 'waiting', attempt: 3, attemptsMax: 6 } })
    t.match(await shop.jobIn(id, 'done', 'dead'), { state: 'done', attempt: 5 })
    t.match(await shop.owner('POST', `/v1/tenant/jobs/${id}/retry`), {
      status: 409,
      body: { code: 'JOB_NOT_DEAD' },
    })
  })
})

t.test('what waits, and for what', async (t) => {
  const lab = await jobLab(t)
  const shop = await lab.openWorkshop()

  await t.test('a delay, and an instant', async (t) => {
    const later = await shop.enqueue('note', { text: 'delayed' }, { delayMs: 1_200 })
    const at = new Date(Date.now() + 1_200).toISOString()
    const atInstant = await shop.enqueue('note', { text: 'at' }, { at })
    t.match(await shop.jobIn(await shop.enqueue('note', { text: 'first' }), 'done'), { state: 'done' })
    t.match(await shop.job(later), { state: 'waiting' })
    for (const id of [later, atInstant]) {
      const { createdAt, startedAt } = await shop.jobIn(id, 'done')
      t.ok(Date.parse(String(startedAt)) - Date.parse(String(createdAt)) >= 1_100, 'not before')
    }
  })

  await t.test('one of a unique key while another waits or runs', async (t) => {
    const options = { unique: 'k', delayMs: 600 }
    const first = await shop.enqueue('note', { text: 'unique 1' }, options)
    t.equal(await shop.enqueue('note', { text: 'unique 2' }, options), first)
    t.not(await shop.enqueue('chain', { left: 0 }, options), first, 'of another job it is another key')
    const other = await lab.openWorkshop()
    t.not(await other.enqueue('note', { text: 'other' }, options), first, 'and of another tenant')
    await shop.jobIn(first, 'done')
    t.not(
      await shop.enqueue('note', { text: 'unique 3' }, options),
      first,
      'once it is done there may be a next',
    )
  })

  await t.test('jobs of lower priority', async (t) => {
    const quiet = await lab.openWorkshop()
    // Both places are taken, so that the others wait and are chosen from.
    await Promise.all([1, 2].map(() => quiet.enqueue('slow', { text: 'busy', steps: 6, ms: 100 })))
    const ids: string[] = []
    for (const [text, priority] of [
      ['last', 50],
      ['middle', 0],
      ['first', -50],
    ] as const)
      ids.push(await quiet.enqueue('note', { text }, { priority }))
    const jobs = await Promise.all(ids.map((id) => quiet.jobIn(id, 'done')))
    const begun = jobs.map(({ startedAt, input }) => ({
      at: String(startedAt),
      text: (input as Json)['text'],
    }))
    const rest = begun.sort((one, other) => (one.at < other.at ? -1 : 1)).map(({ text }) => text)
    t.same(rest, ['first', 'middle', 'last'])
  })

  await t.test('no more than two of a tenant and module run at once', async (t) => {
    const busy = await lab.openWorkshop()
    const ids = await Promise.all(
      [1, 2, 3, 4].map((n) => busy.enqueue('slow', { text: `slow ${n}`, steps: 5, ms: 100 })),
    )
    let most = 0
    const jobs = await until(
      async () => {
        const { body } = await busy.owner('GET', '/v1/tenant/jobs?state=running')
        most = Math.max(most, (body['items'] as unknown[]).length)
        return Promise.all(ids.map(busy.job))
      },
      (all) => all.every(({ state }) => state === 'done'),
    )
    t.equal(most, 2)
    t.match(
      jobs.map(({ state }) => state),
      ['done', 'done', 'done', 'done'],
    )
  })

  await t.test('others do not wait behind them', async (t) => {
    const busy = await lab.openWorkshop()
    for (const text of ['a', 'b', 'c', 'd']) await busy.enqueue('slow', { text, steps: 30, ms: 100 })
    const started = Date.now()
    await shop.jobIn(await shop.enqueue('note', { text: 'beside' }), 'done')
    t.ok(Date.now() - started < 2_500, `${Date.now() - started} ms`)
  })

  await t.test('a rate', async (t) => {
    const steady = await lab.openWorkshop()
    const ids: string[] = []
    for (const text of ['a', 'b', 'c', 'd', 'e']) ids.push(await steady.enqueue('capped', { text }))
    const jobs = await Promise.all(ids.map((id) => steady.jobIn(id, 'done')))
    const starts = jobs.map(({ startedAt }) => Date.parse(String(startedAt))).sort((a, b) => a - b)
    for (const [at, start] of starts.entries()) {
      const within = starts.filter((other) => other >= start && other < start + 3_000)
      t.ok(within.length <= 2, `${at}: ${within.length} in three seconds`)
    }
    t.ok((starts.at(-1) ?? 0) - (starts[0] ?? 0) < 12_000, 'and no longer than it must')
  })
})

t.test('a job may keep its transaction for longer than a request may', async (t) => {
  const lab = await jobLab(t)
  const shop = await lab.openWorkshop()
  // It writes first, says nothing to the database for seven seconds, and is done after more than fifteen.
  const id = await shop.enqueue('slow', { text: 'patient', steps: 2, ms: 8_000 })
  const job = await until(
    () => shop.job(id),
    ({ state, error }) => state === 'done' || error !== undefined,
    40_000,
  )
  t.match(job, { state: 'done', attempt: 1 })
  t.same(await shop.marks(), ['patient'])
})

t.test('a plan may let more run at once', async (t) => {
  const lab = await jobLab(t)
  const owner = await lab.signUp('large')
  const { body } = await owner('POST', '/v1/tenants', { name: 'Large', slug: 'large', plan: 'professional' })
  await owner('POST', '/v1/tenant/modules', { module: 'works' })
  const shop = lab.workshop({ slug: 'large', id: String(body['id']), owner })
  for (const n of [1, 2, 3, 4, 5]) await shop.enqueue('slow', { text: `s${n}`, steps: 10, ms: 100 })
  let most = 0
  await until(
    async () => {
      const { body } = await shop.owner('GET', '/v1/tenant/jobs?state=running')
      most = Math.max(most, (body['items'] as unknown[]).length)
      return most
    },
    (found) => found >= 4,
  )
  t.equal(most, 4)
})
