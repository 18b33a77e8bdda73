// Attacks by webhooks and on the stream of events: what leads inside, what belongs to another tenant, what one may not read.
// Each makes what it needs, so that it can be made twice.
import type { Defence } from '../../kernel/src/defences.ts'
import { type EventClient, listenAt } from '../support/event-source.ts'
import type { HooksLab, HooksPerson, HooksTenant } from '../support/hooks-lab.ts'
import type { Reply } from '../support/kernel.ts'
import { until } from '../support/queue-lab.ts'

export interface HookPlace {
  readonly lab: HooksLab
  readonly url: string
  readonly tenant: HooksTenant
  /** Reads his own orders, and manages nothing. */
  readonly member: HooksPerson
  /** Of another tenant, with a webhook of his own. */
  readonly enemy: HooksTenant
}

export interface HookAttack {
  readonly attack: string
  readonly defence: string
  /** Of what comes back, as JSON. */
  readonly expected: RegExp
  readonly run: (place: HookPlace) => Promise<unknown>
  readonly without?: readonly [
    Extract<Defence, 'addressCheck' | 'ability' | 'entitlement' | 'membership'>,
    RegExp,
  ]
}

const told = ({ status, body }: Reply) => ({ status, body })

/** What became of an event that the owner's webhook to `host` was told of, and what the server inside was asked. */
async function delivered({ lab, tenant }: HookPlace, host: string): Promise<object> {
  const before = lab.receiver.inner.length
  const { url } = await tenant.hook(host)
  const state = await tried(tenant, url)
  await tenant.owner('DELETE', url)
  return { ...state, inside: lab.receiver.inner.slice(before) }
}

interface Shown {
  readonly id: string
  readonly attempts: number
}

async function tried(tenant: HooksTenant, url: string): Promise<object> {
  const read = async () =>
    (await tenant.owner('GET', `${url}/deliveries`)).body['items'] as unknown as readonly Shown[]
  const { length: before } = await read()
  await tenant.ring()
  const isTried = (all: readonly Shown[]) => all.length > before && all.every(({ attempts }) => attempts > 0)
  const [{ id } = { id: '' }] = await until(read, isTried)
  const { log } = (await tenant.owner('GET', `${url}/deliveries/${id}`)).body
  return { log: (log as object[]).map((one) => ({ ...one, at: '', durationMs: 0 })) }
}

/** What a listener hears of before the bell that everybody with the right of it hears. */
async function heard(
  place: HookPlace,
  headers: HooksPerson['headers'],
  happen: () => Promise<void>,
  query = '',
) {
  const client = await listenAt(place.url, { headers, query })
  if (client.status !== 200) return { status: client.status, code: client.problem['code'] }
  await until(
    async () => client.lastId(),
    (id) => id !== '',
  )
  await happen()
  const messages = await settled(client)
  client.cut()
  return { heard: messages.map(({ data }) => data) }
}

/** Two rounds of reading later. */
async function settled(client: EventClient) {
  await until(
    async () => client.messages.length,
    (count) => count > 0,
    1_500,
  )
  return client.messages
}

const nothing = /^{"heard":\[\]}$/
const shut = /"inside":\[\]/
const unreached = /"error":"The receiver could not be reached/
const withAnswer = /"response":"the keys of the cloud".*"inside":\["POST /

const others = (
  name: string,
  path: string,
  method: 'GET' | 'PATCH' | 'DELETE' | 'POST',
  body?: object,
): HookAttack => ({
  attack: `the owner of another tenant ${name} by its id`,
  defence: 'a webhook is looked for in the tenant of the request',
  expected: /"status":404,.*RECORD_NOT_FOUND/,
  async run({ tenant, enemy }) {
    const { url } = await tenant.hook('quiet.bank.example', { state: 'disabled' })
    const reply = await enemy.owner(method, `${url}${path}`, body)
    await tenant.owner('DELETE', url)
    return told(reply)
  },
})

const inside = ['127.0.0.1', '10.0.0.5', '169.254.169.254', '::1', 'fd00:ec2::254']

export const hookAttacks: readonly HookAttack[] = [
  ...inside.map(
    (address, at): HookAttack => ({
      attack: `a webhook to a name that leads to ${address}`,
      defence: 'addressCheck',
      expected: new RegExp(`${unreached.source}.*${shut.source}`),
      without: ['addressCheck', withAnswer],
      run(place) {
        place.lab.receiver.point(`in${at}.attacker.example`, [address])
        return delivered(place, `in${at}.attacker.example`)
      },
    }),
  ),
  {
    attack: 'a webhook to a name that is outside when it is checked, and inside at the next look',
    defence: 'addressCheck',
    expected: /"status":204.*"error":"The receiver could not be reached.*"inside":\[\]/,
    without: ['addressCheck', /"status":204.*"response":"the keys of the cloud".*"inside":\["POST /],
    async run(place) {
      const { lab, tenant } = place
      const before = lab.receiver.inner.length
      lab.receiver.point('turn.attacker.example', ['93.184.216.34'], ['10.0.0.5'])
      const { url } = await tenant.hook('turn.attacker.example')
      const [first, second] = [await tried(tenant, url), await tried(tenant, url)]
      await tenant.owner('DELETE', url)
      return { first, second, inside: lab.receiver.inner.slice(before) }
    },
  },
  {
    attack: 'a receiver that redirects inside',
    defence: 'no redirect is followed',
    expected: /"status":307,"error":"It answered with a redirect.*"inside":\[\]/,
    run(place) {
      const { receiver } = place.lab
      receiver.point('in.attacker.example', ['10.0.0.5'])
      receiver.answer('away.attacker.example', () => ({
        status: 307,
        headers: { location: 'https://in.attacker.example/keys' },
      }))
      return delivered(place, 'away.attacker.example')
    },
  },
  {
    attack: 'a receiver that answers without an end',
    defence: 'an answer is bounded',
    expected: /"error":"The answer is longer than 256 KB\."/,
    run(place) {
      place.lab.receiver.answer('big.attacker.example', () => ({ status: 200, body: 'x'.repeat(300_000) }))
      return delivered(place, 'big.attacker.example')
    },
  },
  others('reads a webhook', '', 'GET'),
  others('changes it', '', 'PATCH', { url: 'https://www.attacker.example/' }),
  others('deletes it', '', 'DELETE'),
  others('rotates its secret', '/rotate-secret', 'POST'),
  others('enables it', '/enable', 'POST'),
  others('tests it', '/test', 'POST'),
  others('reads its deliveries', '/deliveries', 'GET'),
  others('has its events sent again', '/replay', 'POST', { after: '0' }),
  {
    attack: "a delivery of another tenant is sent again to one's own webhook",
    defence: 'a delivery is looked for in the endpoint and tenant of the request',
    expected: /"status":404,.*RECORD_NOT_FOUND/,
    async run({ tenant, enemy }) {
      const [theirs, own] = [
        await tenant.hook('own.bank.example'),
        await enemy.hook('www.attacker.example', { state: 'enabled' }),
      ]
      await tried(tenant, theirs.url)
      const { items } = (await tenant.owner('GET', `${theirs.url}/deliveries`)).body
      const [{ id } = { id: '' }] = items as { id: string }[]
      const reply = await enemy.owner('POST', `${own.url}/deliveries/${id}/replay`)
      await Promise.all([tenant.owner('DELETE', theirs.url), enemy.owner('DELETE', own.url)])
      return told(reply)
    },
  },
  {
    attack: 'a webhook for all events hears of another tenant',
    defence: 'an event goes to endpoints of its own tenant',
    expected: /^\["own"\]$/,
    async run({ lab, tenant, enemy }) {
      const { url } = await enemy.hook('spy.attacker.example')
      const before = lab.receiver.of('spy.attacker.example').length
      await tenant.ring('not yours')
      await enemy.ring('own')
      const got = async () => lab.receiver.of('spy.attacker.example').slice(before)
      await until(got, (some) => some.length > 0)
      const all = (await got()).map(({ body }) => body.data['note'])
      await enemy.owner('DELETE', url)
      return all
    },
  },
  {
    attack: 'a member adds a webhook, and would hear of all that he may not read',
    defence: 'tenant.webhooks.manage',
    expected: /"status":403,.*FORBIDDEN/,
    run: async ({ member }) =>
      told(
        await member.send('POST', '/v1/tenant/webhooks', {
          url: 'https://www.attacker.example/',
          events: ['*'],
        }),
      ),
  },
  {
    attack: 'a member listens for what happens to records of others',
    defence: 'ability',
    expected: nothing,
    without: ['ability', /"type":"store.order.shipped"/],
    run: (place) =>
      heard(place, place.member.headers, async () =>
        place.tenant.ship(await place.tenant.order(), 'not his'),
      ),
  },
  {
    attack: 'a member listens for what is about no record',
    defence: 'tenant.events.read',
    expected: nothing,
    run: (place) => heard(place, place.member.headers, () => place.tenant.ring('not for him')),
  },
  {
    attack: 'events of a module that is switched off, from the beginning',
    defence: 'entitlement',
    expected: nothing,
    without: ['entitlement', /"type":"store.bell.rung"/],
    async run(place) {
      const { lab, tenant } = place
      const off = await lab.open()
      await off.ring('before')
      await off.owner('DELETE', '/v1/tenant/modules/store')
      return heard({ ...place, tenant }, off.headers, async () => undefined, '?after=0')
    },
  },
  {
    attack: 'listening in a tenant that one is no member of',
    defence: 'membership',
    expected: /"status":404,"code":"TENANT_NOT_FOUND"/,
    without: ['membership', /"type":"store.bell.rung"/],
    run: (place) =>
      heard(place, { ...place.enemy.headers, 'x-tenant-id': place.tenant.slug }, () => place.tenant.ring()),
  },
  {
    attack: 'going on behind an id of another tenant',
    defence: 'events are read in the tenant of the request',
    expected: /^{"heard":\[{"type":"store.bell.rung",[^\]]*"note":"own"}}\]}$/,
    async run(place) {
      const { lab, tenant, enemy } = place
      await tenant.ring('theirs')
      const { rows } = await lab.database.admin.query<{ position: string }>(
        'select max(position)::text as position from kernel.outbox where tenant_id = $1',
        [tenant.id],
      )
      const behind = Number(rows[0]?.position ?? 1) - 1
      return heard(place, enemy.headers, () => enemy.ring('own'), `?after=${behind}`)
    },
  },
]
