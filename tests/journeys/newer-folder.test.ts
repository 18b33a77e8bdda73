// A kernel process starts with a newer version of a plugin in its folder while another one serves the version before.
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { createKernel } from '../../kernel/src/kernel.ts'
import { makeInstallation } from '../support/installation.ts'
import { type Send, testConfig, testKernel, testLog } from '../support/kernel.ts'
import { operatorOf, operatorToken } from '../support/operator.ts'
import { visits } from '../support/visits.ts'

const name = '@test/visits'
const rename = { op: 'renameField', entity: 'visit', field: 'who', to: 'guest' }
const note = { op: 'addField', entity: 'visit', field: 'note', spec: { kind: 'text', optional: true } }

type Ending = Parameters<typeof makeInstallation>[0]

async function processesOf(t: Ending) {
  const first = await makeInstallation(t, { [name]: { source: visits('1.0.0') } })
  const firstMigration = await readFile(`${first}/packages/${name}/migrations/0001-first.json`, 'utf8')
  const old = await testKernel(t, { pluginsRoot: first, operatorToken })
  const { owner } = await old.openTenant('visits')
  return {
    owner,
    operator: operatorOf(old.send),
    async startWith(source: string, migration: string) {
      const files = { 'migrations/0001-first.json': firstMigration, 'migrations/0002-next.json': migration }
      const packageJson = { version: '1.1.0' }
      const newer = await createKernel(
        testConfig(old.database.adminUrl, {
          pluginsRoot: await makeInstallation(t, {
            [name]: { source, migrations: false, packageJson, files },
          }),
          operatorToken,
        }),
        testLog,
      )
      t.teardown(() => newer.close())
      return newer
    },
  }
}

async function untilServed(owner: Send, version: string): Promise<string[]> {
  const seen: string[] = []
  for (let looks = 0; looks < 300 && seen.at(-1) !== version; looks += 1) {
    const { status, body } = await owner('GET', '/v1/visits/version')
    seen.push(status === 200 ? String(body['version']) : `status ${status}`)
    await sleep(50)
  }
  return seen
}

t.test('tables that the version before could not live with change in an upgrade', async (t) => {
  const { owner, operator, startWith } = await processesOf(t)
  t.match(await owner('POST', '/v1/visits/visits', { who: 'Ada' }), { status: 201 })
  const source = visits('1.1.0', { who: 'guest' })
  const newer = await startWith(source, JSON.stringify({ release: '1.1.0', operations: [rename] }))
  const seen = new Set(await untilServed(owner, '1.1.0'))
  for (const one of seen) t.match(one, /^1\.[01]\.0$/, 'always somebody answers')
  t.ok(seen.has('1.1.0'), 'the process that ran already serves it as well')
  const last = async () => (await operator('GET', '/v1/operator/operations?limit=1')).body['items']
  for (let looks = 0; looks < 300 && !/succeeded|failed/.test(JSON.stringify(await last())); looks += 1)
    await sleep(50)
  t.match(await last(), [
    { kind: 'upgrade', version: '1.1.0', state: 'succeeded', done: ['fetch', 'hold', 'migrate'] },
  ])
  t.match((await owner('GET', '/v1/visits/visits')).body, { items: [{ guest: 'Ada' }] })
  t.equal(newer.registry.plugins.get('visits')?.version, '1.1.0')
  t.same(newer.registry.refusals, [])
  t.match((await operator('GET', '/v1/operator/plugins/visits')).body, { stable: '1.1.0', previous: '1.0.0' })
})

t.test('tables that it can live with change at once, and every process is told', async (t) => {
  const { owner, operator, startWith } = await processesOf(t)
  const source = visits('1.1.0', { fields: 'note: t.text().optional(),' })
  const newer = await startWith(source, JSON.stringify({ release: '1.1.0', operations: [note] }))
  t.equal(newer.registry.plugins.get('visits')?.version, '1.1.0')
  t.ok((await untilServed(owner, '1.1.0')).includes('1.1.0'))
  t.match((await operator('GET', '/v1/operator/operations?limit=1')).body['items'], [])
})
