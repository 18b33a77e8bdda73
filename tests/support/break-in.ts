// A kernel with somebody to rob: `vault` with a secret of the victim, `quiet` with one of a bystander, and `burglar`, the
// enemy's own module, which runs any code it is sent and has a host that a test can take over.
import type { Test } from 'tap'
import { allStand, type DefencesOff } from '../../kernel/src/defences.ts'
import type { CallName } from '../../kernel/src/protocol/calls.ts'
import type { HostInvocation } from '../../kernel/src/sandbox/plugin-host.ts'
import { makeInstallation } from './installation.ts'
import { type Reply, type Send, type TestKernel, testKernel } from './kernel.ts'
import { recordingLog } from './recording-log.ts'

export const canary = 'canary-7b1f'

const vault = `
import { definePlugin, entity, t } from '@plinth/sdk'
const secret = entity('Secret', {
  code: t.text().range(1, 200).unique(),
  number: t.sequence('S-{0000}'),
  owner: t.ref('secret').optional(),
  parts: t.lines({ of: t.ref('secret').optional(), memo: t.text().optional() }).optional(),
  stage: t.state({ shut: ['open'], open: [] }),
}, { path: 'secrets' })
export default definePlugin({
  name: 'vault', title: 'Vault', entities: { secret }, settings: { greeting: t.text().default('hello') },
  events: { 'secret.opened': { code: t.text() } },
  actions: { secret: { open: { to: 'open', run: () => ({}) } } },
  services: { reveal: { run: async (ctx) => (await ctx.entities.secret.list()).items.map((one) => one.code) } },
  routes: { well: { method: 'POST', path: '/well', run: () => 'well' } },
})`

const quiet = `
import { definePlugin, entity, t } from '@plinth/sdk'
const thing = entity('Thing', { code: t.text() }, { path: 'things' })
export default definePlugin({
  name: 'quiet', title: 'Quiet', entities: { thing },
  services: { list: { input: { text: t.text() }, run: async (ctx) => (await ctx.entities.thing.list()).items } },
  routes: { well: { method: 'POST', path: '/well', run: () => 'well' } },
})`

const burglar = `
import { created, definePlugin, entity, t, use } from '@plinth/sdk'
const note = entity('Note', {
  text: t.text(), to: t.ref('note').optional(), number: t.sequence('N-{0000}'),
  status: t.state({ open: ['closed'], closed: [] }),
}, { path: 'notes' })
export default definePlugin({
  name: 'burglar', title: 'Burglar', entities: { note }, uses: { quiet: use('^1', { optional: true }) },
  events: { 'note.told': { text: t.text() } },
  actions: { note: { say: { input: { answer: t.text() }, run(ctx, note, { answer }) {
    const said = JSON.parse(answer)
    return said?.created ? created(said.created) : said
  } } } },
  routes: {
    well: { method: 'POST', path: '/well', run: () => 'well' },
    run: { method: 'POST', path: '/run', input: { code: t.text().range(0, 100_000) },
      run: async (ctx, { code }) => (0, eval)('(async (ctx) => {' + code + '})')(ctx) },
    calls: { method: 'POST', path: '/calls', input: { calls: t.text().range(0, 400_000) }, run: () => 'honest' },
  },
})`

export interface Place {
  readonly kernel: TestKernel
  readonly lines: readonly Record<string, unknown>[]
  readonly enemy: { readonly slug: string; readonly id: string; readonly owner: Send }
  readonly member: Send
  readonly victim: { readonly slug: string; readonly id: string; readonly owner: Send }
  readonly bystander: { readonly slug: string; readonly id: string; readonly owner: Send }
  /** Ids: of the victim's secret and its note, of the enemy's own. */
  readonly theirs: string
  readonly theirNote: string
  readonly own: string
  readonly ownNote: string
  readonly theirUser: string
  /** Of a list of the victim's secrets. */
  readonly theirCursor: string
}

const idOf = ({ body }: Reply) => String(body['id'])

export async function breakIn(t: Test, off: DefencesOff = allStand): Promise<Place> {
  const pluginsRoot = await makeInstallation(t, {
    '@test/vault': { source: vault },
    '@test/quiet': { source: quiet },
    '@test/burglar': { source: burglar },
  })
  const { log, lines } = recordingLog()
  const kernel = await testKernel(t, { pluginsRoot }, { log, off })
  const victim = await kernel.openTenant('vault', 'burglar')
  const bystander = await kernel.openTenant('quiet', 'burglar')
  const enemy = await kernel.openTenant('vault', 'burglar')
  const theirs = await victim.owner('POST', '/v1/vault/secrets', { code: canary })
  await victim.owner('POST', '/v1/vault/secrets', { code: `${canary}-2` })
  const { body: page } = await victim.owner('GET', '/v1/vault/secrets?limit=1&sort=code')
  const theirNote = await victim.owner('POST', '/v1/burglar/notes', { text: canary })
  await bystander.owner('POST', '/v1/quiet/things', { code: canary })
  const own = await enemy.owner('POST', '/v1/vault/secrets', { code: 'own' })
  const ownNote = await enemy.owner('POST', '/v1/burglar/notes', { text: 'own' })
  takeOver(kernel)
  return {
    kernel,
    lines,
    enemy,
    member: await kernel.addMember(enemy, 'member'),
    victim,
    bystander,
    theirs: idOf(theirs),
    theirNote: idOf(theirNote),
    own: idOf(own),
    ownNote: idOf(ownNote),
    theirUser: String(theirs.body['createdBy']),
    theirCursor: String(page['cursor']),
  }
}

type Told = { readonly value: unknown } | { readonly code: unknown; readonly message: unknown }

/**
 * From here on the host of `burglar` answers the route `calls` as a host that was taken over would: it makes the calls
 * that it is sent, one after the other, past every check of the guest's, and tells what it was answered.
 */
function takeOver({ kernel }: TestKernel): void {
  const host = kernel.registry.plugins.get('burglar')?.host
  if (!host) throw new Error('burglar is not served')
  const honest = host.invoke.bind(host)
  const invoke = async (invocation: HostInvocation): Promise<string> => {
    const { handler, inputJson } = invocation
    if (handler.kind !== 'route' || handler.route !== 'calls') return await honest(invocation)
    const { calls }: { calls: string } = JSON.parse(inputJson)
    // Names that do not exist are refused by the protocol already; here they come to the broker's own door.
    const wanted: readonly (readonly [CallName, unknown])[] = JSON.parse(calls)
    const told: Told[] = []
    for (const [name, input] of wanted) {
      told.push(
        await invocation.answer(name, input).then(
          (value) => ({ value }),
          ({ code, message }: { code?: unknown; message?: unknown }) => ({ code, message }),
        ),
      )
    }
    return JSON.stringify(told)
  }
  Object.assign(host, { invoke })
}
