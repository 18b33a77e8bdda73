// A tenant begins: in one call of a person, in one call of the operator, and by his commands.
import t from 'tap'
import { runOperatorCommand } from '../../kernel/src/operator-cli/operator-commands.ts'
import { makeInstallation } from '../support/installation.ts'
import { testKernel } from '../support/kernel.ts'
import { operatorOf, operatorToken } from '../support/operator.ts'

const clock = `
import { definePlugin, entity, t } from '@plinth/sdk'
export default definePlugin({
  name: 'clock', title: 'Clock', entities: { tick: entity('Tick', { at: t.text() }) },
  routes: { now: { method: 'GET', path: '/now', run: (ctx) => ({ ...ctx.tenant, today: ctx.today }) } },
})`
const talker = `
import { definePlugin, entity, t } from '@plinth/sdk'
export default definePlugin({
  name: 'talker', title: 'Talker', entities: { word: entity('Word', { text: t.text() }) },
  needs: { http: ['api.talk.example'] },
})`

const kernel = await testKernel(t, {
  pluginsRoot: await makeInstallation(t, {
    '@test/clock': { source: clock },
    '@test/talker': { source: talker },
  }),
  operatorToken,
  host: '127.0.0.1',
})
const operator = operatorOf(kernel.send)

t.test('one call makes a tenant with all that it begins with', async (t) => {
  const person = await kernel.signUp('kiribati')
  const made = await person('POST', '/v1/tenants', {
    name: 'Line Islands Trading',
    slug: 'kiribati',
    currency: 'AUD',
    plan: 'growth',
    locale: 'EN-ki',
    timeZone: 'pacific/kiritimati',
    company: { name: 'Line Islands Trading Ltd', country: 'KI' },
    modules: [{ module: 'clock' }, { module: 'talker', consent: { http: ['api.talk.example'] } }],
  })
  t.match(made, {
    status: 201,
    body: {
      role: 'owner',
      state: 'active',
      plan: 'growth',
      currency: 'AUD',
      locale: 'en-KI',
      timeZone: 'Pacific/Kiritimati',
      country: 'KI',
      company: 'Line Islands Trading Ltd',
      version: 1,
    },
  })
  t.match(await person('GET', '/v1/clock/now'), {
    status: 200,
    body: {
      currency: 'AUD',
      locale: 'en-KI',
      timeZone: 'Pacific/Kiritimati',
      today: Temporal.Now.plainDateISO('Pacific/Kiritimati').toString(),
    },
  })
  t.match(await person('GET', '/v1/tenant/modules'), {
    body: { items: [{ module: 'clock' }, { module: 'talker' }] },
  })
})

t.test('what is wrong is named, and nothing is left behind', async (t) => {
  const person = await kernel.signUp()
  const body = { name: 'Half', slug: 'half' }
  const wrong = async (more: object, status: number, problem: object) =>
    t.match(await person('POST', '/v1/tenants', { ...body, ...more }), { status, body: problem })
  await wrong({ modules: [{ module: 'clock' }, { module: 'talker' }] }, 409, { code: 'CONSENT_REQUIRED' })
  await wrong({ modules: [{ module: 'clock' }, { module: 'clock' }] }, 409, {
    code: 'MODULE_ALREADY_ENABLED',
  })
  await wrong({ modules: [{ module: 'none' }] }, 404, { code: 'MODULE_NOT_FOUND' })
  await wrong({ plan: 'none' }, 422, { errors: [{ field: 'plan' }] })
  await wrong({ slug: 'www' }, 422, { errors: [{ field: 'slug' }] })
  await wrong(
    { timeZone: 'Mars/Olympus', locale: '??', currency: 'ABC', company: { name: 'x', country: 'ZZ' } },
    422,
    {
      errors: [{ field: 'locale' }, { field: 'timeZone' }, { field: 'country' }, { field: 'currency' }],
    },
  )
  await wrong({ currency: 'HRK' }, 422, { errors: [{ field: 'currency' }] })
  await wrong({ company: { country: 'KI' } }, 422, { errors: [{ field: 'company.name' }] })
  await wrong({ state: 'trialing' }, 422, { errors: [{ field: 'state' }] })
  await wrong({ owner: { email: 'x@example.com' } }, 422, { errors: [{ field: 'owner' }] })
  t.same((await person('GET', '/v1/tenants')).body['items'], [])
  t.match(await person('POST', '/v1/tenants', body), { status: 201 }, 'the name is still free')
})

t.test('the operator makes tenants for others, finds them and changes them', async (t) => {
  const owner = await kernel.signUp('op-1', 'first-owner@example.com')
  for (const [n, plan] of [
    ['1', 'starter'],
    ['2', 'growth'],
    ['3', 'growth'],
  ] as const)
    t.match(
      await operator('POST', '/v1/operator/tenants', {
        name: `Operated ${n}`,
        slug: `op-${n}`,
        plan,
        state: 'trialing',
        owner: { email: 'First-Owner@example.com' },
        modules: [{ module: 'clock' }],
      }),
      { status: 201, body: { state: 'trialing', owners: ['first-owner@example.com'], modules: ['clock'] } },
    )
  t.match(await owner('GET', '/v1/tenant'), { body: { role: 'owner', state: 'trialing' } })
  t.match(
    await operator('POST', '/v1/operator/tenants', {
      name: 'x',
      slug: 'x-1',
      owner: { email: 'no@example.com' },
    }),
    { status: 422, body: { errors: [{ field: 'owner.email', code: 'UNKNOWN_USER' }] } },
  )
  const slugs = async (query: string): Promise<string[]> => {
    const { body } = await operator('GET', `/v1/operator/tenants?${query}`)
    const items = (body['items'] ?? []) as { slug: string }[]
    const { cursor } = body
    return [
      ...items.map(({ slug }) => slug),
      ...(typeof cursor === 'string' ? await slugs(`${query}&cursor=${cursor}`) : []),
    ]
  }
  t.same(await slugs('state=trialing&limit=2'), ['op-1', 'op-2', 'op-3'])
  t.same(await slugs('search=OPERATED&plan=growth'), ['op-2', 'op-3'])
  t.same(await slugs('search=%25'), [], 'a pattern is a text')
  t.match(await operator('GET', '/v1/operator/tenants?state=none'), {
    status: 422,
    body: { errors: [{ field: 'state' }] },
  })
  const etag = String((await operator('GET', '/v1/operator/tenants/op-2')).headers['etag'])
  t.equal(etag, '"1"')
  t.match(await operator('PATCH', '/v1/operator/tenants/op-2', { plan: 'none' }), { status: 422 })
  t.match(await operator('PATCH', '/v1/operator/tenants/op-2', { plan: 'professional' }), {
    status: 200,
    body: { plan: 'professional', version: 2 },
  })
  t.match(await operator('GET', '/v1/operator/tenants/absent'), { status: 404 })
  for (const [method, url] of [
    ['GET', ''],
    ['POST', ''],
    ['GET', '/op-1'],
    ['PATCH', '/op-1'],
    ['PUT', '/op-1/state'],
    ['POST', '/op-1/close'],
    ['POST', '/op-1/reopen'],
    ['POST', '/op-1/erase'],
    ['GET', '/op-1/receipt'],
  ] as const)
    t.match(await owner(method, `/v1/operator/tenants${url}`, method === 'GET' ? undefined : {}), {
      body: { code: 'OPERATOR_REQUIRED' },
    })
})

t.test('plinth tenant does the same', async (t) => {
  await kernel.signUp(undefined, 'cli@example.com')
  const { url } = await kernel.kernel.listen()
  const said: string[] = []
  const plinth = async (line: string, isSure = false): Promise<string> => {
    said.length = 0
    const terminal = { print: (text: string) => void said.push(text), confirm: async () => isSure }
    const args = [...line.split(' '), '--url', url]
    await runOperatorCommand('tenant', args, operatorToken, terminal).catch((error: unknown) =>
      said.push(error instanceof Error ? error.message : String(error)),
    )
    return said.join('\n')
  }
  t.match(
    await plinth(
      'create by-cli --owner cli@example.com --module clock --time-zone Asia/Kolkata --state trialing',
    ),
    /by-cli {2}by-cli: trialing, starter, 1 member\n.*owned by cli@example.com\n.*clock\n.*INR, en, Asia\//,
  )
  t.match(await plinth('list --state trialing --search cli'), /^by-cli .*$/)
  t.match(await plinth('plan by-cli growth'), /trialing, growth/)
  t.match(await plinth('state by-cli suspended --reason unpaid'), /suspended[\s\S]*because: unpaid/)
  t.match(await plinth('state by-cli closed'), /VALIDATION_FAILED[\s\S]*state/)
  t.match(await plinth('close by-cli --days 7'), /closing, growth, 1 member, erased after/)
  t.match(await plinth('reopen by-cli'), /suspended/)
  t.match(await plinth('close by-cli'), /closing/)
  t.equal((await plinth('erase by-cli')).split('\n').at(-1), 'Nothing was changed.')
  t.match(await plinth('erase by-cli', true), /It is being erased/)
  for (;;) {
    const receipt = await plinth('receipt by-cli')
    if (receipt === "'by-cli' is being erased.") continue
    t.match(receipt, /was erased at .*rows\.[\s\S]*kernel\.membership: 1[\s\S]*SHA-256 [0-9a-f]{64}$/)
    break
  }
  t.match(await plinth('show'), /is not used like that/)
})
