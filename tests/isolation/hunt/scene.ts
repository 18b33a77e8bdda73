// The two tenants of a hunt on one kernel: the same modules, the same kinds of people, and texts, amounts and ids by which
// the bytes of each can be told.
import { readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Manifest } from '@plinth/sdk'
import type { Config } from '../../../kernel/src/config.ts'
import type { Defence, DefencesOff } from '../../../kernel/src/defences.ts'
import { createKernel, type Kernel } from '../../../kernel/src/kernel.ts'
import { realWorld } from '../../../kernel/src/outside/world.ts'
import { type TestDatabase, testDatabase } from '../../support/database.ts'
import { makeInstallation } from '../../support/installation.ts'
import { repository, type Send, sender, testConfig, testLog } from '../../support/kernel.ts'
import { operatorToken } from '../../support/operator.ts'
import { baseDomain, ownDomainOf } from './hosts.ts'
import { huntedPlugins, ownModules } from './hunted-plugins.fixture.ts'
import { type Person, Side, type Standing } from './side.ts'

export interface Ending {
  teardown(work: () => Promise<unknown>): void
}

export interface Scene {
  readonly database: TestDatabase
  readonly sides: readonly [Side, Side]
  /** Another kernel on the same database, with walls down. */
  open(off: readonly Defence[]): Promise<Kernel>
  manifestsOf(kernel: Kernel): readonly Manifest[]
  modulesOf(side: Side): ReadonlySet<string>
  /** What the hunt itself has undone is done again: modules, members, sessions. */
  restore(kernel: Kernel): Promise<void>
}

/**
 * What tells tenants by their host is on, and who asks is a trusted proxy: all that he says of it counts. Nobody is kept
 * out for having guessed: that would end the hunt.
 */
const tenancy: Partial<Config> = {
  // Mail is written down, and no server takes it.
  smtpUrl: 'smtp://127.0.0.1:1',
  verifyEmail: 'optional',
  accountAttempts: 1_000_000,
  rateAddress: 0,
  rateAuth: 0,
  rateTenant: 0,
  rateUser: 0,
  rateKey: 0,
  longestDelayMs: 600_000,
  addressAttempts: 1_000_000,
  baseDomains: [baseDomain],
  trustedProxies: ['127.0.0.0/8'],
  // Nobody is there: what asks DNS is told so at once.
  dnsServers: ['127.0.0.1:1'],
  // What fails fails at once, and not again while somebody's rows are compared.
  eventAttempts: 1,
}
/** Webhooks lead nowhere: a hunt speaks to nobody. */
const nowhere = { ...realWorld, lookup: async () => [] }
const consent = { http: ['prey.example'] }
const password = 'correct horse battery'
const people: readonly Standing[] = ['owner', 'admin', 'member', 'member', 'guest', 'guest']

/** The plugins of this repository beside those of the hunt. */
async function installAll(t: Ending): Promise<{ root: string; modules: string[] }> {
  const root = await makeInstallation(t, huntedPlugins)
  const folders = await readdir(join(repository, 'plugins'))
  const dependencies = Object.fromEntries(Object.keys(huntedPlugins).map((name) => [name, '*']))
  for (const folder of folders) {
    const json: { name: string } = JSON.parse(
      await readFile(join(repository, 'plugins', folder, 'package.json'), 'utf8'),
    )
    await symlink(join(repository, 'plugins', folder), join(root, 'node_modules', json.name))
    dependencies[json.name] = '*'
  }
  await writeFile(join(root, 'package.json'), JSON.stringify({ type: 'module', dependencies }))
  return { root, modules: [...folders, 'prey'] }
}

export async function setScene(t: Ending, seed: number, overrides: Partial<Config> = {}): Promise<Scene> {
  const { root, modules } = await installAll(t)
  const database = await testDatabase(t)
  const config = testConfig(database.adminUrl, { pluginsRoot: root, operatorToken, ...tenancy, ...overrides })
  const digits = String(seed).padStart(7, '0').slice(-7)
  const first = new Side(`roe-${digits}`, `~roe${digits}~`, `71${digits}`)
  const second = new Side(`elk-${digits}`, `~elk${digits}~`, `84${digits}`)
  const sides = [first, second] as const
  const modulesOf = (side: Side) => new Set([...modules, side === first ? ownModules[0] : ownModules[1]])

  let sound: Kernel | undefined

  async function open(off: readonly Defence[]): Promise<Kernel> {
    const walls: DefencesOff = new Set(off)
    const kernel = await createKernel(config, testLog, walls, nowhere)
    t.teardown(() => kernel.close())
    return kernel
  }

  async function restore(kernel: Kernel): Promise<void> {
    // A kernel without membership would say that everybody is an owner.
    sound ??= kernel
    for (const side of sides) await restoreSide(sender(sound), side, modulesOf(side))
  }

  return {
    database,
    sides,
    modulesOf,
    manifestsOf: (kernel) => [...kernel.registry.plugins.values()].map(({ manifest }) => manifest),
    restore,
    async open(off) {
      const kernel = await open(off)
      if (first.id === '')
        for (const side of sides) {
          await foundTenant(sender(kernel), side)
          await database.admin.query(
            'update kernel.tenant_domain set verified_at = now(), checked_at = now() where tenant_id = $1',
            [side.id],
          )
        }
      await restore(kernel)
      return kernel
    },
  }
}

const as =
  (send: Send, { token }: Person, side?: Side): Send =>
  (method, url, body, headers) =>
    send(method, url, body, {
      authorization: `Bearer ${token}`,
      ...(side ? { 'x-tenant-id': side.slug } : {}),
      ...headers,
    })

async function must(reply: ReturnType<Send>): Promise<Awaited<ReturnType<Send>>> {
  const answered = await reply
  if (answered.status >= 300) throw new Error(`the scene: ${JSON.stringify(answered.body)}`)
  return answered
}

async function foundTenant(send: Send, side: Side): Promise<void> {
  for (const [at, standing] of people.entries()) {
    const email = `${side.slug}-${standing}-${at}@example.com`
    const name = `${side.mark} ${standing}`
    const { body } = await must(send('POST', '/v1/auth/sign-up/email', { name, email, password }))
    const { id } = body['user'] as { id: string }
    side.people.push({ standing, name, email, password, isPerson: true, id, token: String(body['token']) })
    side.handles.add(id)
  }
  const owner = as(send, side.standing('owner'), side)
  const { body } = await must(
    owner('POST', '/v1/tenants', { name: `${side.mark} tenant`, slug: side.slug, currency: 'USD' }),
  )
  side.id = String(body['id'])
  side.handles.add(side.id)
  await must(owner('POST', '/v1/tenant/domains', { domain: ownDomainOf(side.slug) }))
  await addProgram(owner, side, 'member', ['*'])
  await addProgram(owner, side, 'narrow', ['prey.trail.read'])
  // And the owner's own key for next to nothing: what it may not, its owner may.
  const scopes = ['prey.trail.read', 'tenant.usage.read']
  const key = await must(owner('POST', '/v1/me/keys', { name: `${side.mark} own`, scopes }))
  const { id } = side.standing('owner')
  side.people.push({
    standing: 'narrow',
    name: '',
    email: '',
    password: '',
    isPerson: false,
    id,
    token: String(key.body['key']),
  })
}

/** A service account that is a member, and a key of its own. */
async function addProgram(
  owner: Send,
  side: Side,
  standing: Standing,
  scopes: readonly string[],
): Promise<void> {
  const name = `${side.mark} ${standing} program`
  const account = await must(owner('POST', '/v1/tenant/service-accounts', { name, role: 'member' }))
  const id = String(account.body['id'])
  const key = await must(owner('POST', `/v1/tenant/service-accounts/${id}/keys`, { name, scopes }))
  side.people.push({
    standing,
    name,
    email: '',
    password: '',
    isPerson: false,
    id,
    token: String(key.body['key']),
  })
  side.handles.add(id)
}

/** A tenant that was closed is opened again, by whom it belongs to; then it belongs to its owner. */
async function restoreOwner(send: Send, side: Side): Promise<void> {
  const owner = side.standing('owner')
  const { body } = await must(as(send, owner, side)('GET', '/v1/tenant'))
  const heir = body['role'] === 'owner' ? owner : side.standing('admin')
  if (body['state'] === 'closing') await must(as(send, heir, side)('POST', '/v1/tenant/reopen'))
  if (heir !== owner)
    await must(as(send, heir, side)('PATCH', `/v1/tenant/members/${owner.id}`, { role: 'owner' }))
}

async function restoreSide(send: Send, side: Side, modules: ReadonlySet<string>): Promise<void> {
  for (const person of side.people) {
    if (!person.isPerson) continue
    const { status } = await as(send, person)('GET', '/v1/tenants')
    if (status === 200) continue
    const { email } = person
    const { body } = await must(send('POST', '/v1/auth/sign-in/email', { email, password }))
    person.token = String(body['token'])
  }
  await restoreOwner(send, side)
  const owner = as(send, side.standing('owner'), side)
  const enabled = (await must(owner('GET', '/v1/tenant/modules'))).body['items'] as { module: string }[]
  for (const module of modules) {
    side.learn('module', module)
    if (!enabled.some((one) => one.module === module))
      await must(owner('POST', '/v1/tenant/modules', { module, ...(module === 'prey' && { consent }) }))
  }
  await must(owner('PUT', '/v1/tenant/modules/prey/consent', consent))
  await openBooks(owner, side)
  const members = (await must(owner('GET', '/v1/tenant/members?limit=200'))).body['items'] as {
    userId: string
    role: string
  }[]
  for (const { id, email, standing, isPerson } of side.people) {
    const member = members.find(({ userId }) => userId === id)
    if (!isPerson || standing === 'guest' || member?.role === standing) continue
    if (member) await must(owner('PATCH', `/v1/tenant/members/${id}`, { role: standing }))
    else await must(owner('POST', '/v1/tenant/members', { email, role: standing }))
  }
}

/** By its code: there already, or made. */
async function findOrMake(
  owner: Send,
  path: string,
  key: string,
  code: string,
  values: object,
): Promise<string> {
  const { body } = await must(owner('GET', `${path}?${key}=${code}`))
  const [known] = body['items'] as { id: string }[]
  return known?.id ?? String((await must(owner('POST', path, { ...values, [key]: code }))).body['id'])
}

/** Without an account to book on and an item that there is enough of, no order ever ships and no invoice is posted. */
async function openBooks(owner: Send, side: Side): Promise<void> {
  const account = (code: string, type: string) =>
    findOrMake(owner, '/v1/finance/accounts', 'code', code, { name: 'Books', type })
  const asset = await account('B-1', 'asset')
  const oms = { inventoryAccount: asset, costAccount: await account('B-2', 'expense') }
  await must(owner('PATCH', '/v1/tenant/settings/oms', oms))
  const finance = { receivableAccount: asset, revenueAccount: await account('B-3', 'income') }
  await must(owner('PATCH', '/v1/tenant/settings/finance', finance))
  const price = { amount: '9.00', currency: 'USD' }
  const item = await findOrMake(owner, '/v1/oms/items', 'sku', 'B-1', { name: 'Plenty', price })
  await must(owner('PATCH', `/v1/oms/items/${item}`, { active: true, price }))
  await must(owner('POST', '/v1/oms/receipts', { item, quantity: '1000', unitCost: price }))
  side.learn('item in stock', item)
}
