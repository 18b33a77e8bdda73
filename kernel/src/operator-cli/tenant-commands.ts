// `plinth tenant`: what an operator does to tenants, by the same API as everybody who has the token.
import Type, { type Static } from 'typebox'
import { listAnswer, type OperatorClient } from './operator-client.ts'

export const tenantUsage = `plinth tenant list [--state s] [--plan p] [--search text]
plinth tenant show <tenant>
plinth tenant create <slug> --owner mail@example.com [--name n] [--plan p] [--currency INR] [--locale en-IN]
             [--time-zone Asia/Kolkata] [--company n] [--country IN] [--module m]... [--state trialing]
plinth tenant state <tenant> <active|trialing|past_due|read_only|suspended> [--reason text]
plinth tenant plan <tenant> <plan>
plinth tenant owner <tenant> <mail@example.com>   of one that has none; invited by mail
plinth tenant close <tenant> [--days n] [--reason text]    read-only from now on, erased when the days are over
plinth tenant reopen <tenant>
plinth tenant erase <tenant>             one that is closing, now and for good
plinth tenant receipt <tenant>           what was erased
`

export const tenantOptions = {
  state: { type: 'string' },
  plan: { type: 'string' },
  search: { type: 'string' },
  owner: { type: 'string' },
  name: { type: 'string' },
  currency: { type: 'string' },
  locale: { type: 'string' },
  'time-zone': { type: 'string' },
  company: { type: 'string' },
  country: { type: 'string' },
  module: { type: 'string', multiple: true },
  days: { type: 'string' },
  reason: { type: 'string' },
} as const

export interface TenantFlags {
  readonly state?: string | undefined
  readonly plan?: string | undefined
  readonly search?: string | undefined
  readonly owner?: string | undefined
  readonly name?: string | undefined
  readonly currency?: string | undefined
  readonly locale?: string | undefined
  readonly 'time-zone'?: string | undefined
  readonly company?: string | undefined
  readonly country?: string | undefined
  readonly module?: string[] | undefined
  readonly days?: string | undefined
  readonly reason?: string | undefined
  readonly yes?: boolean
}

export interface TenantCall {
  readonly client: OperatorClient
  readonly terminal: { print(text: string): void; confirm(question: string): Promise<boolean> }
  readonly flags: TenantFlags
  /** Behind `tenant`: the command, then what it is about. */
  readonly names: readonly string[]
}

const text = Type.String()
const tenantAnswer = Type.Object({
  slug: text,
  name: text,
  state: text,
  plan: text,
  members: Type.Number(),
  owners: Type.Array(text),
  modules: Type.Array(text),
  timeZone: text,
  locale: text,
  currency: text,
  reason: Type.Optional(text),
  eraseAfter: Type.Optional(text),
})
const receiptAnswer = Type.Object({
  slug: text,
  state: text,
  rows: Type.Optional(Type.Number()),
  tables: Type.Optional(Type.Record(text, Type.Number())),
  digest: Type.Optional(text),
  finishedAt: Type.Optional(text),
})
const pageAnswer = Type.Object({ ...listAnswer(tenantAnswer).properties, cursor: Type.Optional(text) })

type Tenant = Static<typeof tenantAnswer>

const root = '/v1/operator/tenants'
const at = (tenant: string): string => `${root}/${encodeURIComponent(tenant)}`

const line = ({ slug, name, state, plan, members, eraseAfter }: Tenant): string =>
  `${slug}  ${name}: ${state}, ${plan}, ${members} ${members === 1 ? 'member' : 'members'}${eraseAfter === undefined ? '' : `, erased after ${eraseAfter}`}`

const lines = (tenant: Tenant): string =>
  [
    line(tenant),
    ...(tenant.reason === undefined ? [] : [`  because: ${tenant.reason}`]),
    `  owned by ${tenant.owners.join(', ') || 'nobody'}`,
    `  modules: ${tenant.modules.join(', ') || 'none'}`,
    `  ${tenant.currency}, ${tenant.locale}, ${tenant.timeZone}`,
  ].join('\n')

type Command = (call: TenantCall, tenant: string, to: string) => Promise<boolean>

const changed =
  (method: string, path: string, bodyOf: (flags: TenantFlags, to: string) => object | undefined): Command =>
  async ({ client, terminal, flags }, tenant, to) => {
    terminal.print(lines(await client.ask(tenantAnswer, method, `${at(tenant)}${path}`, bodyOf(flags, to))))
    return true
  }

const commands: Readonly<Record<string, { readonly names: number; readonly run: Command }>> = {
  list: { names: 0, run: list },
  show: { names: 1, run: changed('GET', '', () => undefined) },
  create: { names: 1, run: create },
  state: { names: 2, run: changed('PUT', '/state', ({ reason }, state) => ({ state, reason })) },
  plan: { names: 2, run: changed('PATCH', '', (_flags, plan) => ({ plan })) },
  owner: { names: 2, run: changed('POST', '/owner', (_flags, email) => ({ email })) },
  close: {
    names: 1,
    run: changed('POST', '/close', ({ days, reason }) => ({
      days: days === undefined ? undefined : Number(days),
      reason,
    })),
  },
  reopen: { names: 1, run: changed('POST', '/reopen', () => undefined) },
  erase: { names: 1, run: erase },
  receipt: { names: 1, run: receipt },
}

/** Undefined when there is no such command; else whether it went as it was asked for. */
export function runTenantCommand(call: TenantCall): Promise<boolean> | undefined {
  const [name = '', tenant = '', to = ''] = call.names
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  return command?.names === call.names.length - 1 ? command.run(call, tenant, to) : undefined
}

async function list({ client, terminal, flags }: TenantCall): Promise<boolean> {
  const { state, plan, search } = flags
  const query = new URLSearchParams(
    Object.entries({ state, plan, search, limit: '200' }).flatMap(([key, value]) =>
      value === undefined ? [] : [[key, value]],
    ),
  )
  let isEmpty = true
  for (;;) {
    const { items, cursor } = await client.ask(pageAnswer, 'GET', `${root}?${query}`)
    for (const tenant of items) terminal.print(line(tenant))
    if (items.length > 0) isEmpty = false
    if (cursor === undefined) break
    query.set('cursor', cursor)
  }
  if (isEmpty) terminal.print('There is none.')
  return true
}

async function create({ client, terminal, flags }: TenantCall, slug: string): Promise<boolean> {
  const { owner = '', name = slug, plan, currency, locale, company, country, state } = flags
  const body = {
    slug,
    name,
    owner: { email: owner },
    plan,
    currency,
    locale,
    timeZone: flags['time-zone'],
    state,
    company: company === undefined && country === undefined ? undefined : { name: company ?? name, country },
    modules: flags.module?.map((module) => ({ module })),
  }
  terminal.print(lines(await client.ask(tenantAnswer, 'POST', root, body)))
  return true
}

async function erase({ client, terminal, flags }: TenantCall, tenant: string): Promise<boolean> {
  const about = await client.ask(tenantAnswer, 'GET', at(tenant))
  terminal.print(lines(about))
  if (!flags.yes && !(await terminal.confirm('Delete everything of it, for good?'))) {
    terminal.print('Nothing was changed.')
    return false
  }
  await client.ask(receiptAnswer, 'POST', `${at(tenant)}/erase`, { confirm: about.slug })
  terminal.print(`It is being erased. Its receipt: plinth tenant receipt ${about.slug}`)
  return true
}

async function receipt({ client, terminal }: TenantCall, tenant: string): Promise<boolean> {
  const {
    slug,
    state,
    rows,
    tables = {},
    digest,
    finishedAt,
  } = await client.ask(receiptAnswer, 'GET', `${at(tenant)}/receipt`)
  if (state !== 'succeeded') {
    terminal.print(`'${slug}' is being erased.`)
    return false
  }
  terminal.print(`'${slug}' was erased at ${finishedAt ?? '?'}: ${rows ?? 0} rows.`)
  for (const [table, count] of Object.entries(tables)) terminal.print(`  ${table}: ${count}`)
  terminal.print(`SHA-256 ${digest ?? ''}`)
  return true
}
