// Jobs as people of the tenant see and steer them: lists, progress, cancelling, running by hand, and who may.
import t from 'tap'
import { jobLab, until } from '../support/job-lab.ts'

t.test('the jobs of a tenant', async (t) => {
  const lab = await jobLab(t)
  const shop = await lab.openWorkshop()
  const { owner } = shop
  const listed = async (query = '', send = owner) => {
    const { body } = await send('GET', `/v1/tenant/jobs${query}`)
    return (body['items'] as { id: string; job: string; state: string }[]).map(({ id }) => id)
  }

  await t.test('are listed, newest first, by what is asked for, in pages', async (t) => {
    const made: string[] = []
    for (const text of ['a', 'b', 'c']) made.unshift(await shop.enqueue('note', { text }))
    const refused = await shop.enqueue('refusing')
    await Promise.all([...made, refused].map((id) => shop.jobIn(id, 'done', 'dead')))
    t.same(await listed(), [refused, ...made])
    t.same(await listed('?state=dead'), [refused])
    t.same(await listed('?module=works&job=note'), made)
    t.same(await listed('?module=others'), [])
    const first = await owner('GET', '/v1/tenant/jobs?limit=3')
    t.equal((first.body['items'] as unknown[]).length, 3)
    t.same(await listed(`?limit=3&cursor=${String(first.body['cursor'])}`), made.slice(2))
    for (const query of ['?state=sleeping', '?limit=0', '?job=a-b', '?sort=id'])
      t.match(await owner('GET', `/v1/tenant/jobs${query}`), {
        status: 422,
        body: { code: 'VALIDATION_FAILED' },
      })
    t.match(await owner('GET', '/v1/tenant/jobs?cursor=zzz'), {
      status: 400,
      body: { code: 'CURSOR_INVALID' },
    })
  })

  await t.test('are run by hand, once for each Idempotency-Key', async (t) => {
    const url = '/v1/tenant/modules/works/jobs/note'
    const body = { input: { text: 'by hand' }, priority: -5, unique: 'hand' }
    const key = { 'idempotency-key': crypto.randomUUID() }
    const made = await owner('POST', url, body, key)
    t.match(made, {
      status: 202,
      body: {
        state: /waiting|running/,
        job: 'note',
        input: { text: 'by hand', n: 0 },
        priority: -5,
        unique: 'hand',
      },
      headers: { location: `/v1/tenant/jobs/${String(made.body['id'])}`, etag: /^"/ },
    })
    t.equal((await owner('POST', url, body, key)).body['id'], made.body['id'])
    t.match(await shop.jobIn(String(made.body['id']), 'done'), { state: 'done' })
    t.equal((await shop.marks()).filter((mark) => mark === 'by hand').length, 1)
    const { body: trail } = await owner('GET', '/v1/tenant/audit?entity=job')
    t.match(trail['items'], [{ action: 'run', record: made.body['id'] }])

    const refused = [
      [url, { input: { text: '' } }, 422, 'VALIDATION_FAILED'],
      [url, { input: { text: 'x', other: 1 } }, 422, 'VALIDATION_FAILED'],
      [url, { input: 'text' }, 422, 'VALIDATION_FAILED'],
      [url, { input: { text: 'x' }, delay: 5 }, 422, 'VALIDATION_FAILED'],
      [url, { input: { text: 'x' }, at: 'tomorrow' }, 422, 'VALIDATION_FAILED'],
      [url, { input: { text: 'x' }, at: '2099-01-01T00:00:00Z' }, 422, 'VALIDATION_FAILED'],
      ['/v1/tenant/modules/works/jobs/nota', { input: {} }, 404, 'JOB_UNKNOWN'],
      ['/v1/tenant/modules/works/jobs/toString', {}, 404, 'JOB_UNKNOWN'],
      ['/v1/tenant/modules/nowhere/jobs/note', {}, 404, 'MODULE_NOT_FOUND'],
    ] as const
    for (const [to, body, status, code] of refused)
      t.match(await owner('POST', to, body), { status, body: { code } }, `${to} ${JSON.stringify(body)}`)
    t.match(await owner('POST', '/v1/tenant/modules/works/jobs/nota', {}), {
      body: { detail: /Did you mean 'note'/ },
    })
  })

  await t.test(
    'are watched: progress is seen at once, and waiting ends when something changes',
    async (t) => {
      const id = await shop.enqueue('slow', { text: 'watched', steps: 6, ms: 150 })
      const seen: unknown[] = []
      let etag = ''
      for (let turn = 0; turn < 30; turn += 1) {
        const reply = await owner(
          'GET',
          `/v1/tenant/jobs/${id}?wait=5`,
          undefined,
          etag === '' ? {} : { 'if-none-match': etag },
        )
        t.equal(reply.status, 200)
        etag = String(reply.headers['etag'])
        seen.push(reply.body['progress'])
        if (reply.body['state'] === 'done') break
      }
      t.ok(
        seen.some((progress) => Number(progress) > 0 && Number(progress) < 1),
        `on the way: ${seen}`,
      )
      t.match(await shop.job(id), { state: 'done', progress: 1, note: 'step 6', result: { steps: 6 } })
      const known = { 'if-none-match': etag }
      t.equal((await owner('GET', `/v1/tenant/jobs/${id}`, undefined, known)).status, 304)
      const started = Date.now()
      t.equal((await owner('GET', `/v1/tenant/jobs/${id}?wait=20`, undefined, known)).status, 304)
      t.ok(Date.now() - started < 5_000, 'nobody waits for what has ended')
      t.match(await owner('GET', `/v1/tenant/jobs/${id}?wait=21`), { status: 422 })
    },
  )

  await t.test('are cancelled before they run', async (t) => {
    const id = await shop.enqueue('note', { text: 'cancelled' }, { delayMs: 600 })
    const reply = await owner('POST', `/v1/tenant/jobs/${id}/cancel`)
    t.match(reply, { status: 200, body: { state: 'cancelled', endedAt: /T/ } })
    t.match(await owner('POST', `/v1/tenant/jobs/${id}/cancel`), { status: 409, body: { code: 'JOB_ENDED' } })
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    t.notOk((await shop.marks()).includes('cancelled'))
    const { body: trail } = await owner('GET', '/v1/tenant/audit?entity=job&action=cancelled')
    t.match(trail['items'], [{ record: id }])
    const again = await owner('POST', `/v1/tenant/jobs/${id}/retry`)
    t.match(again, { status: 200, body: { state: 'waiting' } })
    t.match(await shop.jobIn(id, 'done'), { state: 'done' })
  })

  await t.test(
    'are cancelled while they run, whatever they catch, and what they did is undone',
    async (t) => {
      for (const job of ['slow', 'stubborn']) {
        const text = `cancelled ${job}`
        const id = await shop.enqueue(job, job === 'slow' ? { text, steps: 100 } : { text })
        await until(
          () => shop.job(id),
          ({ progress }) => progress !== undefined,
        )
        const asked = await owner('POST', `/v1/tenant/jobs/${id}/cancel`)
        t.match(asked, { status: 200, body: { state: 'running', cancelAskedAt: /T/ } }, job)
        const started = Date.now()
        t.match(await shop.jobIn(id, 'cancelled', 'done', 'dead'), { state: 'cancelled' })
        t.ok(Date.now() - started < 3_000, 'soon')
        t.notOk((await shop.marks()).includes(text))
      }
    },
  )

  await t.test('are for who started them, and for who may see all', async (t) => {
    const member = lab.workshop({ ...shop, owner: await lab.addMember(shop, 'member') })
    const own = await member.enqueue('note', { text: 'own' }, { delayMs: 3_600_000 })
    const others = await shop.enqueue('note', { text: 'others' }, { delayMs: 3_600_000 })
    t.same(await listed('', member.owner), [own])
    t.ok((await listed()).includes(own))
    t.notOk((await listed('?mine=true')).includes(own))
    const gone = { status: 404, body: { code: 'JOB_NOT_FOUND' } }
    t.match(await member.owner('GET', `/v1/tenant/jobs/${own}`), { status: 200 })
    t.match(await member.owner('GET', `/v1/tenant/jobs/${others}`), gone)
    t.match(await member.owner('POST', `/v1/tenant/jobs/${others}/cancel`), gone)
    t.match(await member.owner('POST', `/v1/tenant/jobs/${own}/retry`), {
      status: 403,
      body: { permission: 'tenant.jobs.manage' },
    })
    t.match(await member.owner('POST', '/v1/tenant/modules/works/jobs/note', { input: { text: 'x' } }), {
      status: 403,
      body: { permission: 'tenant.jobs.run' },
    })
    t.match(await member.owner('POST', `/v1/tenant/jobs/${own}/cancel`), { status: 200 })
    for (const id of ['0', '-1', 'abc', '99999999999999999999', '1e3'])
      t.match(await owner('GET', `/v1/tenant/jobs/${id}`), gone, id)
  })

  await t.test('may be read, run or managed by a role that says so', async (t) => {
    const clerk = await lab.addMember(shop, 'member')
    const { body: me } = await clerk('GET', '/v1/me')
    const role = await owner('POST', '/v1/tenant/roles', {
      name: 'Steward',
      rules: ['tenant.jobs.read', 'tenant.jobs.run'].map((permission) => ({ effect: 'allow', permission })),
    })
    t.equal(role.status, 201, role.text ?? '')
    const id = String((me['user'] as { id: string } | undefined)?.id ?? me['id'])
    const given = await owner('POST', `/v1/tenant/members/${id}/roles`, { role: role.body['id'] })
    t.ok(given.status < 300, given.text ?? '')
    t.ok((await listed('', clerk)).length > 3)
    const ran = await clerk('POST', '/v1/tenant/modules/works/jobs/note', { input: { text: 'by role' } })
    t.equal(ran.status, 202)
    t.match(await clerk('POST', `/v1/tenant/jobs/${String(ran.body['id'])}/retry`), { status: 403 })
  })
})
