// Bodies that a schema alone does not lead to: what the books, the members and the settings accept.
import { amountOf, type Making, textOf } from './make-value.ts'

/** `undefined`: what the schema says is tried. */
type Recipe = (making: Making, path: string) => unknown

const lastOf = (path: string | undefined): string => decodeURIComponent(path?.split('/').at(-1) ?? '')

function journal(making: Making): unknown {
  const { random, side } = making
  const accounts = side.known('/v1/finance/accounts/{}')
  const [debit, credit] = [random.pick(accounts), random.pick(accounts)]
  if (debit === undefined || credit === undefined) return undefined
  const money = { amount: amountOf(making), currency: 'USD' }
  return {
    date: `2026-0${1 + random.int(9)}-15`,
    description: textOf(making),
    reference: textOf(making, { maxLength: 200 }),
    lines: [
      { account: lastOf(debit), debit: money, memo: textOf(making) },
      { account: lastOf(credit), credit: money },
    ],
  }
}

const guestOf = ({ random, side }: Making) =>
  random.pick(side.people.filter(({ standing }) => standing === 'guest'))

/** Of the own tenant; the id alone. */
const idIn = ({ random, side }: Making, collection: string): string =>
  lastOf(random.pick(side.known(`/v1/${collection}/{}`)))

const from = ({ random }: Making): string => `2026-0${1 + random.int(9)}-0${1 + random.int(9)}`

const period = (making: Making) => {
  const validFrom = from(making)
  return {
    validFrom,
    ...(making.random.chance(0.7) && { validTo: `${validFrom.slice(0, 8)}2${making.random.int(9)}` }),
  }
}

const unit = 'organisation/units'
const position = 'organisation/positions'

/** The trees of the organisation refuse what is no tree on some day, which a schema does not tell. */
const organisation: Readonly<Record<string, Recipe>> = {
  'POST /v1/organisation/units': (making) => ({
    code: textOf(making, { maxLength: 30 }),
    name: textOf(making),
    kind: 'department',
    validFrom: '2026-01-01',
  }),
  'PATCH /v1/organisation/units/{id}': (making) => ({ name: textOf(making) }),
  'POST /v1/organisation/units/{id}/move': (making) => ({ parent: idIn(making, unit), on: from(making) }),
  'POST /v1/organisation/placements': (making) => ({
    unit: idIn(making, unit),
    parent: idIn(making, unit),
    ...period(making),
  }),
  'PATCH /v1/organisation/placements/{id}': (making) => ({ parent: idIn(making, unit) }),
  'POST /v1/organisation/positions': (making) => ({
    code: textOf(making, { maxLength: 30 }),
    title: textOf(making),
    unit: idIn(making, unit),
    seats: 900,
    validFrom: '2026-01-01',
  }),
  'PATCH /v1/organisation/positions/{id}': (making) => ({ title: textOf(making) }),
  'POST /v1/organisation/positions/{id}/report': (making) => ({
    manager: idIn(making, position),
    on: from(making),
  }),
  'POST /v1/organisation/reporting-lines': (making) => ({
    position: idIn(making, position),
    manager: idIn(making, position),
    ...period(making),
  }),
  'PATCH /v1/organisation/reporting-lines/{id}': (making) => ({ manager: idIn(making, position) }),
  'POST /v1/organisation/assignments': (making) => ({
    position: idIn(making, position),
    person: making.random.pick(making.side.people)?.id,
    ...period(making),
  }),
  'PATCH /v1/organisation/assignments/{id}': (making) => ({ position: idIn(making, position) }),
}

const itemId = (making: Making): string => idIn(making, 'oms/items')

const invoice: Recipe = (making) => ({
  customer: textOf(making, { maxLength: 200 }),
  date: '2026-03-01',
  dueDate: '2026-04-01',
  lines: [
    {
      description: textOf(making, { maxLength: 300 }),
      quantity: '2',
      price: { amount: amountOf(making), currency: 'USD' },
    },
  ],
})

/** What ships was reserved before, and what was reserved had come in. */
const orders: Readonly<Record<string, Recipe>> = {
  'POST /v1/oms/orders': (making) => ({
    customer: textOf(making, { maxLength: 200 }),
    date: from(making),
    lines: [{ item: itemId(making), quantity: '1' }],
  }),
  'PATCH /v1/oms/orders/{id}': (making) => ({ reference: textOf(making, { maxLength: 200 }) }),
  'POST /v1/oms/receipts': (making) => ({
    item: itemId(making),
    quantity: '50',
    unitCost: { amount: '4.00', currency: 'USD' },
    reference: textOf(making, { maxLength: 200 }),
  }),
  'POST /v1/oms/corrections': (making) => ({
    item: itemId(making),
    quantity: '1',
    reason: textOf(making, { maxLength: 200 }),
  }),
  'POST /v1/finance/invoices': invoice,
  'PATCH /v1/finance/invoices/{id}': invoice,
}

/** The tenant itself: its life, its hosts, its people. */
const tenancy: Readonly<Record<string, Recipe>> = {
  'POST /v1/tenants': (making) => ({
    name: textOf(making),
    slug: `${making.side.slug}-${making.random.int(1e9).toString(36)}`,
  }),
  'PATCH /v1/tenant': (making) => ({ company: textOf(making, { maxLength: 100 }) }),
  'POST /v1/tenant/close': ({ side }) => ({ confirm: side.slug }),
  'POST /v1/tenant/ownership': ({ side }) => ({ userId: side.standing('admin').id }),
  'POST /v1/me/password': () => ({ current: 'correct horse battery', password: 'correct horse battery' }),
  'PUT /v1/me/default-tenant': ({ side, random }) => ({ tenant: random.pick([side.slug, side.id, null]) }),
  'POST /v1/tenant/domains': ({ side, random }) => ({
    domain: `${random.int(1e9).toString(36)}.${side.slug}.org`,
  }),
}

/** Roles that give a member no more than he has: the referee goes by what the plugins suggest. */
const harmless = [{ permission: 'prey.trail.read', effect: 'allow' }]

const chain: Recipe = (making: Making) => ({
  code: `c${making.random.int(1e9).toString(36)}`,
  title: textOf(making, { maxLength: 120 }),
  module: 'prey',
  entity: 'trail',
  action: 'lose',
  // Nothing waits for it: what the plugin offers goes on being asked.
  active: false,
  steps: [{ title: textOf(making, { maxLength: 120 }), approvers: [{ role: 'admin' }], need: 1 }],
})

const access: Readonly<Record<string, Recipe>> = {
  'POST /v1/tenant/roles': (making) => ({ name: textOf(making), rules: harmless }),
  'PATCH /v1/tenant/roles/{id}': (making) => ({ description: textOf(making) }),
  'POST /v1/tenant/members/{userId}/roles': (making) => ({ role: idIn(making, 'tenant/roles') }),
  'POST /v1/tenant/delegations': (making) => ({
    borrower: making.side.standing('member').id,
    permissions: ['prey.trail.read'],
    endsAt: '2027-06-01T00:00:00.000Z',
    reason: textOf(making),
  }),
  'POST /v1/tenant/duties': (making) => ({
    title: textOf(making),
    first: 'prey.den.create',
    second: 'prey.den.delete',
    within: 'record',
  }),
  'POST /v1/tenant/approval-chains': chain,
  'PUT /v1/tenant/approval-chains/{id}': chain,
  'PUT /v1/tenant/sso': () => ({
    issuer: 'https://idp.example',
    clientId: 'plinth',
    clientSecret: 'a secret of nobody',
    enforced: false,
  }),
  'POST /v1/tenant/sso/domains': ({ side, random }) => ({
    domain: `${random.int(1e9).toString(36)}.${side.slug}.org`,
  }),
  'POST /v1/tenant/absences': (making) => ({
    substitute: making.side.standing('admin').id,
    from: from(making),
    to: '2026-12-30',
  }),
}

export const recipes: Readonly<Record<string, Recipe>> = {
  ...organisation,
  ...orders,
  ...tenancy,
  ...access,
  'POST /v1/finance/journal-entries': journal,
  'PATCH /v1/finance/journal-entries/{id}': journal,
  'POST /v1/finance/journal-entries/{id}/reverse': ({ random }) => ({ date: `2026-1${random.int(3)}-20` }),
  'POST /v1/tenant/members': (making) => ({
    email: guestOf(making)?.email,
    role: making.random.pick(['member', 'admin']),
  }),
  'PATCH /v1/tenant/members/{userId}': ({ random }) => ({ role: random.pick(['member', 'admin']) }),
  'POST /v1/tenant/modules': ({ random, side }) => {
    const gone = random.pick(side.known('gone /v1/tenant/modules/{}'))
    const module = gone === undefined ? random.pick(side.known('module')) : lastOf(gone)
    return { module, ...(module === 'prey' && { consent: { http: ['prey.example'] } }) }
  },
  'PUT /v1/tenant/modules/{module}/consent': () => ({ http: ['prey.example'] }),
  'PATCH /v1/tenant/settings/{module}': (making, path) =>
    path.endsWith('prey') ? { greeting: textOf(making) } : {},
  'POST /v1/auth/sign-in/email': ({ side }) => {
    const { email, password } = side.standing('owner')
    return { email, password }
  },
}
