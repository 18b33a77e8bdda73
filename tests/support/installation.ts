// An installation made for a test: a folder with a package.json and the plugins it depends on, written on the spot.
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { manifestOf, type Plugin } from '@plinth/sdk'
import { diffMigrations } from '../../kernel/src/data/plugin-migrations/diff-migrations.ts'
import { repository } from './kernel.ts'

export interface PluginPackage {
  /** Text of src/plugin.ts. */
  readonly source: string
  /** Over the package.json that would work. */
  readonly packageJson?: Readonly<Record<string, unknown>>
  /** Path in the package to text. */
  readonly files?: Readonly<Record<string, string>>
  /** Write the migration that the entities need. True unless said. */
  readonly migrations?: boolean
}

interface Ending {
  teardown(work: () => Promise<unknown>): void
}

/** Migrations for a plugin whose module can be imported here: the source is the test's own. */
async function firstMigration(sourceFile: string): Promise<string> {
  const module: { default: Plugin } = await import(sourceFile)
  return JSON.stringify({ operations: diffMigrations({}, manifestOf(module.default)).operations })
}

/** The folder to give as PLINTH_PLUGINS_ROOT. Keys are package names. */
export async function makeInstallation(
  t: Ending,
  plugins: Readonly<Record<string, PluginPackage>>,
): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'plinth-installation-'))
  t.teardown(() => rm(root, { recursive: true, force: true }))
  const dependencies = Object.fromEntries(Object.keys(plugins).map((name) => [name, '*']))
  await writeFile(join(root, 'package.json'), JSON.stringify({ type: 'module', dependencies }))
  await mkdir(join(root, 'node_modules/@plinth'), { recursive: true })
  await symlink(join(repository, 'sdk'), join(root, 'node_modules/@plinth/sdk'))
  for (const [name, plugin] of Object.entries(plugins)) {
    const folder = join(root, 'packages', name)
    const files = {
      'src/plugin.ts': plugin.source,
      'package.json': JSON.stringify({
        name,
        version: '1.0.0',
        type: 'module',
        plinth: { plugin: 'src/plugin.ts' },
        peerDependencies: { '@plinth/sdk': '^0.1.0' },
        ...plugin.packageJson,
      }),
      ...plugin.files,
    }
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true })
      await writeFile(join(folder, path), text)
    }
    await mkdir(dirname(join(root, 'node_modules', name)), { recursive: true })
    await symlink(folder, join(root, 'node_modules', name))
    if (plugin.migrations === false) continue
    await mkdir(join(folder, 'migrations'), { recursive: true })
    const migration = await firstMigration(join(folder, 'src/plugin.ts'))
    await writeFile(join(folder, 'migrations/0001-first.json'), migration)
  }
  return root
}
