// What a failing plugin gives its caller, over HTTP: a named error, a transaction that did not happen, and a kernel that
// answers the next request.
import { execFileSync } from 'node:child_process'
import t from 'tap'
import { makeInstallation } from '../support/installation.ts'
import { type Send, testKernel } from '../support/kernel.ts'
import { failures } from './failing-plugins.fixture.ts'

const source = `
import { definePlugin, entity, fail, t } from '@plinth/sdk'

const note = entity('Note', { text: t.text() }, { path: 'notes' })
const ways = {
  loop: () => { for (;;) {} },
  loopLater: async () => { await null; for (;;) {} },
  memory: () => { const all = []; for (;;) all.push(new Array(100_000).fill(all.length)) },
  string: () => { throw 'just a string' },
  getter: () => { throw { get message() { for (;;) {} } } },
  undeclared: () => fail('NEVER_DECLARED', {}),
  declared: () => fail('OUT_OF_PAPER', { left: 0, field: 'way' }),
  never: () => new Promise(() => {}),
  huge: () => 'x'.repeat(5_000_000),
  stranger: async (ctx) => { await ctx.entities.note.get('019a0000-0000-7000-8000-000000000000') },
}
export default definePlugin({
  name: 'notes',
  title: 'Notes',
  entities: { note },
  errors: { OUT_OF_PAPER: { status: 409, message: 'There are {left} sheets left.' } },
  routes: {
    break: {
      method: 'POST', path: '/break', input: { way: t.text() },
      async run(ctx, { way }) {
        await ctx.entities.note.create({ text: 'before it broke' })
        return { done: await ways[way](ctx) ?? null }
      },
    },
    well: {
      method: 'POST', path: '/well',
      async run(ctx) { return { id: (await ctx.entities.note.create({ text: 'kept' })).id } },
    },
  },
})
`

/** From one look at the processes: those of other tests come and go. */
function hostsOf(): number[] {
  const rows = execFileSync('ps', ['-eo', 'pid,ppid,args'], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
  const parents = new Map(rows.map(([pid, parent]) => [Number(pid), Number(parent)]))
  const isOurs = (pid: number): boolean => {
    const parent = parents.get(pid) ?? 0
    return parent === process.pid || (parent > 1 && isOurs(parent))
  }
  return rows.flatMap(([pid, , ...args]) =>
    args.join(' ').includes('--permission') && isOurs(Number(pid)) ? [Number(pid)] : [],
  )
}

t.test('a plugin that fails', async (t) => {
  const root = await makeInstallation(t, { '@test/notes': { source } })
  const kernel = await testKernel(t, { pluginsRoot: root })
  const { owner } = await kernel.openTenant('notes')
  const { owner: neighbour } = await kernel.openTenant('notes')

  const notes = async (send: Send) => (await send('GET', '/v1/notes/notes')).body['items'] as unknown[]
  const well = (send: Send) => send('POST', '/v1/notes/well')

  for (const [way, status, code] of failures) {
    await t.test(`by '${way}' answers ${status}, changes nothing, and serves the next request`, async (t) => {
      const before = (await notes(owner)).length
      const reply = await owner('POST', '/v1/notes/break', { way })
      t.match(reply, { status, body: { code } })
      t.notMatch(
        JSON.stringify(reply.body),
        /plugin\.ts|at Object|just a string/,
        'nothing of its inside is told',
      )
      t.match(await well(neighbour), { status: 200 }, 'another tenant is served')
      t.match(await well(owner), { status: 200 }, 'and so is this one')
      t.equal((await notes(owner)).length, before + 1, 'what it wrote before it broke is gone')
    })
  }

  await t.test('a declared refusal is a problem with its own code and message', async (t) => {
    const { body } = await owner('POST', '/v1/notes/break', { way: 'declared' })
    t.match(body, { detail: 'There are 0 sheets left.', errors: [{ field: 'way', code: 'OUT_OF_PAPER' }] })
  })

  await t.test('by never answering is stopped at the deadline', { timeout: 30_000 }, async (t) => {
    t.match(await owner('POST', '/v1/notes/break', { way: 'never' }), {
      status: 504,
      body: { code: 'PLUGIN_DEADLINE_EXCEEDED' },
    })
    t.match(await well(owner), { status: 200 })
  })

  await t.test(
    'whose host is killed answers 503, rolls back, and is back for the next request',
    async (t) => {
      const before = (await notes(owner)).length
      const hanging = owner('POST', '/v1/notes/break', { way: 'never' })
      await new Promise((resolve) => setTimeout(resolve, 300))
      const hosts = hostsOf()
      t.ok(hosts.length > 0, 'there is a host process')
      for (const host of hosts) process.kill(host, 'SIGKILL')
      t.match(await hanging, { status: 503, body: { code: 'MODULE_UNAVAILABLE' } })
      t.match(await well(neighbour), { status: 200 })
      t.equal((await notes(owner)).length, before)
    },
  )
})
