// What an ISV sees when his plugin throws: the TypeScript file and line, in the log and in development's answers.
import { cp, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createKernel } from '../../kernel/src/kernel.ts'
import { packPlugin } from '../../kernel/src/registry/pack-plugin.ts'
import { testDatabase } from '../support/database.ts'
import { makeInstallation } from '../support/installation.ts'
import { sender, testConfig } from '../support/kernel.ts'
import { recordingLog } from '../support/recording-log.ts'

const source = `import { definePlugin } from '@plinth/sdk'
import { total } from './total.ts'

interface Never { readonly used: string }

export default definePlugin({
  name: 'sums',
  title: 'Sums',
  routes: {
    add: { method: 'POST', path: '/add', run: () => ({ total: total([1]) }) },
    stray: { method: 'POST', path: '/stray', run: () => void Promise.reject(new Error('left behind')) },
  },
})
`
const total = `type Numbers = readonly number[]

export function total(numbers: Numbers): number {
  if (numbers.length < 2) {
    throw new Error('too few numbers')
  }
  return numbers.length
}
`

async function open(t: Test, root: string, debugErrors: boolean, trustedPlugins: readonly string[] = []) {
  const { log, lines } = recordingLog()
  const { adminUrl } = await testDatabase(t)
  const kernel = await createKernel(
    testConfig(adminUrl, { pluginsRoot: root, debugErrors, trustedPlugins }),
    log,
  )
  t.teardown(() => kernel.close())
  const send = sender(kernel)
  const account = { name: 'A', email: 'a@example.com', password: 'correct horse battery' }
  const { body } = await send('POST', '/v1/auth/sign-up/email', account)
  const owner = sender(kernel, { authorization: `Bearer ${String(body['token'])}`, 'x-tenant-id': 'sums' })
  await owner('POST', '/v1/tenants', { name: 'Sums', slug: 'sums', currency: 'USD' })
  await owner('POST', '/v1/tenant/modules', { module: 'sums' })
  const failed = await owner('POST', '/v1/sums/add')
  const logged = JSON.stringify(lines.filter((line) => line['code'] === 'PLUGIN_FAILED'))
  return { failed, logged, lines, kernel, owner }
}

t.test('a plugin that throws', async (t) => {
  const files = { 'src/total.ts': total }
  const root = await makeInstallation(t, { '@test/sums': { source, files, migrations: false } })
  const folder = join(root, 'packages/@test/sums')

  await t.test('is found in the log by its file and line, and never by clients', async (t) => {
    const { failed, logged } = await open(t, root, false)
    t.match(failed, { status: 502, body: { code: 'PLUGIN_FAILED' } })
    t.notMatch(JSON.stringify(failed.body), /total\.ts|too few/)
    t.match(logged, /src\/total\.ts:5:\d+.*src\/plugin\.ts:10:\d+/)
  })

  for (const [runtime, trusted] of [
    ['the sandbox', []],
    ['the kernel’s process', ['@test/sums']],
  ] as const) {
    await t.test(`in ${runtime} shows its own frames, of a rejection nobody handled too`, async (t) => {
      const { failed, owner } = await open(t, root, true, trusted)
      const stray = await owner('POST', '/v1/sums/stray')
      t.match(failed.body['stack'], /too few numbers.*src\/total\.ts:5:\d+.*src\/plugin\.ts:10:\d+/s)
      t.match(stray.body['stack'], /left behind.*src\/plugin\.ts:11:\d+/s)
      for (const { body } of [failed, stray]) {
        t.notMatch(body['stack'], /file:|node:|isolated-vm/, 'and none of whoever called it')
      }
    })
  }

  await t.test('is found in the answers of development', async (t) => {
    const { failed } = await open(t, root, true)
    t.match(failed.body['stack'], /too few numbers.*src\/total\.ts:5:\d+/s)
  })

  await t.test('while it loads is refused with the place', async (t) => {
    await writeFile(join(folder, 'src/plugin.ts'), "\n\nthrow new Error('not today')\n")
    for (const trusted of [[], ['@test/sums']]) {
      const { kernel } = await open(t, root, false, trusted)
      t.match(kernel.registry.refusals, [{ reason: /not today \(src\/plugin\.ts:3:\d+\)/ }])
    }
    await writeFile(join(folder, 'src/plugin.ts'), source)
  })

  await t.test('packed, is found by the map beside its bundle, and not by a bad one', async (t) => {
    const { bundle, sourceMap } = await packPlugin(join(folder, 'src/plugin.ts'))
    t.notMatch(bundle, /sourceMappingURL/)
    t.notMatch(sourceMap, new RegExp(root), 'names no folder of this machine')
    const installed = join(root, 'node_modules/@test/sums')
    await rm(installed)
    await mkdir(join(installed, 'dist'), { recursive: true })
    await cp(join(folder, 'package.json'), join(installed, 'package.json'))
    const packageJson = {
      name: '@test/sums',
      version: '1.0.0',
      plinth: { bundle: 'dist/plugin.js' },
      peerDependencies: { '@plinth/sdk': '^0.1.0' },
    }
    await writeFile(join(installed, 'package.json'), JSON.stringify(packageJson))
    await writeFile(join(installed, 'dist/plugin.js'), bundle)
    await writeFile(join(installed, 'dist/plugin.js.map'), sourceMap)
    t.match((await open(t, root, false)).logged, /src\/total\.ts:5:\d+/)
    await writeFile(join(installed, 'dist/plugin.js.map'), '{"version":3,"sections":[]}')
    const { logged, lines } = await open(t, root, false)
    t.match(logged, /plinth:plugin:\d+:\d+/)
    t.match(JSON.stringify(lines), /source map of a plugin is ignored/)
  })
})
