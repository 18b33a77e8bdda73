// What an ISV does: write a plugin, let `plinth` write the migration and pack it, and have it installed as a package.
import { execFile } from 'node:child_process'
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { makeInstallation } from '../support/installation.ts'
import { repository, testKernel } from '../support/kernel.ts'

const run = promisify(execFile)
const name = '@acme/visits'
const source = `
import { definePlugin, entity, t } from '@plinth/sdk'
const visit = entity('Visit', { customer: t.text(), on: t.date() })
export default definePlugin({ name: 'visits', title: 'Visits', entities: { visit } })
`

t.test('an ISV', async (t) => {
  const root = await makeInstallation(t, { [name]: { source, migrations: false } })
  const folder = join(root, 'packages', name)
  const installed = join(root, 'node_modules', name)
  const cli = async (...args: string[]) => {
    const { stdout } = await run(process.execPath, [join(repository, 'kernel/src/cli.ts'), ...args])
    return stdout
  }
  /** As npm would: a folder of its own, without the sources. */
  const install = async () => {
    await rm(installed, { recursive: true, force: true })
    await mkdir(join(root, 'node_modules/@acme'), { recursive: true })
    await cp(folder, installed, { recursive: true, filter: (path) => !path.endsWith('/src') })
  }
  const change = async (path: string, edit: (text: string) => string) =>
    writeFile(join(folder, path), edit(await readFile(join(folder, path), 'utf8')))

  await t.test('gets the migration from the entities, and the next one from what changed', async (t) => {
    t.match(await cli('migrate', folder), /Wrote migrations\/0001-first\.json: 1 operations/)
    t.match(await cli('migrate', folder), /up to date/)
    await change('src/plugin.ts', (text) =>
      text.replace('on: t.date()', 'on: t.date(), note: t.text().optional()'),
    )
    t.match(await cli('migrate', folder, '--name', 'notes'), /Wrote migrations\/0002-notes\.json/)
    await change('src/plugin.ts', (text) => text.replace('customer: t.text(), ', ''))
    await t.rejects(cli('migrate', folder), /No migration was written.*customer/s)
    await change('src/plugin.ts', (text) => text.replace('{ on:', '{ customer: t.text(), on:'))
  })

  await t.test(
    'says what a change means, and drops in a later release what an earlier one retired',
    async (t) => {
      const before = await readFile(join(folder, 'src/plugin.ts'), 'utf8')
      await change('src/plugin.ts', (text) => text.replace('note: t.text()', 'remark: t.text()'))
      await t.rejects(cli('migrate', folder), /--rename visit\.note=visit\.remark.*--drop visit\.note/s)
      await t.rejects(cli('migrate', folder, '--rename', 'note=a.b'), /is not like account=ledgerAccount/)
      t.match(
        await cli('migrate', folder, '--name', 'remark', '--rename', 'visit.note=visit.remark'),
        /Wrote migrations\/0003-remark\.json: 1 operations, exclusive\..*the version before looks for the old name/s,
      )
      await change('src/plugin.ts', (text) => text.replace(', remark: t.text().optional()', ''))
      t.match(
        await cli('migrate', folder, '--drop', 'visit.remark'),
        /0004-change\.json: 1 operations, compatible\./,
      )
      await t.rejects(
        cli('migrate', folder, '--contract'),
        /cannot be dropped in release 1\.0\.0.*Raise the version/s,
      )
      await change('package.json', (text) => text.replace('"version":"1.0.0"', '"version":"1.1.0"'))
      t.match(await cli('migrate', folder, '--contract'), /0005-contract\.json: 1 operations, exclusive\./)
      await writeFile(join(folder, 'src/plugin.ts'), before)
      t.match(await cli('migrate', folder, '--name', 'again'), /0006-again\.json: 1 operations, compatible\./)
    },
  )

  await t.test('packs it, and the package is served without its sources', async (t) => {
    t.match(await cli('pack', folder), /Packed 'visits'/)
    await change('package.json', (text) =>
      JSON.stringify({
        ...JSON.parse(text),
        plinth: { bundle: 'dist/plugin.js', manifest: 'dist/manifest.json' },
      }),
    )
    await install()
    const kernel = await testKernel(t, { pluginsRoot: root })
    t.same(kernel.kernel.registry.refusals, [])
    const { owner } = await kernel.openTenant('visits')
    const visit = { customer: 'Ada', on: '2026-01-01', note: 'hello' }
    t.match(await owner('POST', '/v1/visits/visits', visit), { status: 201, body: visit })
  })

  for (const [what, path, edit, reason] of [
    [
      'a manifest that differs from the code',
      'dist/manifest.json',
      (text: string) => text.replace('"Visits"', '"Other"'),
      /differs from what its code says/,
    ],
    [
      'a bundle with other code',
      'dist/plugin.js',
      (text: string) => text.replace('"Visits"', '"Other"'),
      /differs from what its code says/,
    ],
    ['a manifest that is no JSON', 'dist/manifest.json', () => '{', /JSON/],
    [
      'an applied migration that was changed',
      'migrations/0001-first.json',
      (text: string) => text.replace('"text"', '"int"'),
      /visits/,
    ],
  ] as const) {
    await t.test(`is refused with ${what}`, async (t) => {
      const before = await readFile(join(folder, path), 'utf8')
      await change(path, edit)
      await install()
      const kernel = await testKernel(t, { pluginsRoot: root })
      t.equal(kernel.kernel.registry.plugins.size, 0)
      t.match(kernel.kernel.registry.refusals, [{ package: name, reason }])
      await writeFile(join(folder, path), before)
    })
  }

  await t.test('is told what is wrong with the command line or the folder', async (t) => {
    await t.rejects(cli('pakc', folder), /There is no command 'pakc'/)
    await t.rejects(cli('pack', root), /has no "plinth"/)
    await t.rejects(cli('pack', join(root, 'nothing')), /nothing/)
  })
})
