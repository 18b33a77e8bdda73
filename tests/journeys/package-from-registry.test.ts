// What an ISV publishes is what the kernel loads: a plugin packed by `plinth`, archived by npm, published to a real registry,
// fetched and admitted; and nothing in it has run outside a sandbox.
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pino from 'pino'
import t from 'tap'
import { admitFetched } from '../../kernel/src/registry/packages/admit-fetched.ts'
import { fetchPluginPackage } from '../../kernel/src/registry/packages/fetch-plugin-package.ts'
import { createHostStarter } from '../../kernel/src/sandbox/supervisor.ts'
import { repository } from '../support/kernel.ts'
import { startRegistry } from '../support/npm-registry.ts'

const run = promisify(execFile)
const name = '@plinth/finance'

t.test('a plugin from a registry', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'plinth-publish-'))
  t.teardown(() => rm(root, { recursive: true, force: true }))
  const folder = join(root, 'finance')
  const traces = join(root, 'traces')
  await cp(join(repository, 'plugins/finance'), folder, { recursive: true })
  await mkdir(join(folder, 'node_modules/@plinth'), { recursive: true })
  await mkdir(traces)
  await symlink(join(repository, 'sdk'), join(folder, 'node_modules/@plinth/sdk'))
  const { stdout } = await run(process.execPath, [join(repository, 'kernel/src/cli.ts'), 'pack', folder])
  t.match(stdout, /Packed 'finance'/)

  const json = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
  const leaveTrace = (script: string) => `node -e "fs.writeFileSync('${traces}/${script}', '')"`
  const scripts = ['preinstall', 'install', 'postinstall', 'prepare', 'dependencies']
  await writeFile(
    join(folder, 'package.json'),
    JSON.stringify({
      ...json,
      plinth: { ...json.plinth, bundle: './dist/plugin.js', manifest: 'dist/manifest.json' },
      scripts: Object.fromEntries(scripts.map((script) => [script, leaveTrace(script)])),
    }),
  )
  const archive = join(root, `plinth-finance-${json.version}.tgz`)
  await run('npm', ['pack', '--ignore-scripts', '--pack-destination', root], { cwd: folder })
  const registry = await startRegistry(t)
  const integrity = await registry.publish({ name, version: json.version, tarball: await readFile(archive) })

  const fetched = await fetchPluginPackage({
    registry: { url: registry.url },
    name,
    version: 'latest',
    integrity,
  })

  await t.test('is what was packed, byte for byte', async (t) => {
    t.equal(fetched.version, json.version)
    t.equal(fetched.integrity, integrity)
    t.equal(fetched.bundle, await readFile(join(folder, 'dist/plugin.js'), 'utf8'))
    t.equal(fetched.manifest, await readFile(join(folder, 'dist/manifest.json'), 'utf8'))
    const names = (await readdir(join(folder, 'migrations'))).sort()
    t.same(
      fetched.migrations.map((migration) => `${migration.name}.json`),
      names,
    )
    for (const { name: migration, text } of fetched.migrations)
      t.equal(text, await readFile(join(folder, 'migrations', `${migration}.json`), 'utf8'))
  })

  await t.test('is admitted with the manifest that it shipped', async (t) => {
    const log = pino({ level: 'silent' })
    const start = await createHostStarter(log)
    const startHost = (host: string, bundle: string) => start({ name: host, bundle, log })
    const { manifest, migrations } = await admitFetched(fetched, {
      startHost,
      owners: new Map([['finance', name]]),
    })
    t.same(JSON.parse(fetched.manifest), JSON.parse(JSON.stringify(manifest)))
    t.equal(migrations.length, fetched.migrations.length)
    await t.rejects(admitFetched(fetched, { startHost, owners: new Map([['finance', '@acme/finance']]) }), {
      code: 'PACKAGE_REFUSED',
      data: { reason: 'name' },
    })
  })

  await t.test('has run none of its scripts, and is in no node_modules', async (t) => {
    t.same(await readdir(traces), [])
    // The scripts are real: npm, told to, runs one of them.
    await run('npm', ['run', 'postinstall'], { cwd: folder })
    t.same(await readdir(traces), ['postinstall'])
  })
})
