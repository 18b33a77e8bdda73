// Versions of plugins as their makers publish them: packed from source, with a migration grown from the version before,
// archived and put into a real npm registry.
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Manifest, manifestOf, type Plugin } from '@plinth/sdk'
import { diffMigrations } from '../../kernel/src/data/plugin-migrations/diff-migrations.ts'
import { foldMigrations } from '../../kernel/src/data/plugin-migrations/fold-operations.ts'
import { parseWishes } from '../../kernel/src/data/plugin-migrations/migration-wishes.ts'
import type { PluginMigration } from '../../kernel/src/data/plugin-migrations/operations.ts'
import { packPlugin } from '../../kernel/src/registry/pack-plugin.ts'
import { repository } from './kernel.ts'
import { startRegistry, type TestRegistry } from './npm-registry.ts'
import { archiveOf, packageEntries } from './package-archive.ts'

export interface Release {
  readonly name: string
  readonly version: string
  /** Text of src/plugin.ts. */
  readonly source: string
  /** As they are given to `plinth migrate`. */
  readonly wishes?: Parameters<typeof parseWishes>[0]
  readonly tag?: string
  /** The version it grows from; the one published before unless said. */
  readonly after?: string
}

export interface Published {
  readonly integrity: string
  readonly manifest: Manifest
}

export interface Releases {
  readonly registry: TestRegistry
  publish(release: Release): Promise<Published>
}

interface Ending {
  teardown(work: () => Promise<unknown>): void
}

export async function startReleases(t: Ending): Promise<Releases> {
  const registry = await startRegistry(t)
  const root = await mkdtemp(join(tmpdir(), 'plinth-releases-'))
  t.teardown(() => rm(root, { recursive: true, force: true }))
  await mkdir(join(root, 'node_modules/@plinth'), { recursive: true })
  await symlink(join(repository, 'sdk'), join(root, 'node_modules/@plinth/sdk'))
  await writeFile(join(root, 'package.json'), JSON.stringify({ type: 'module' }))
  const latest = new Map<string, string>()
  /** Migrations, by name@version. */
  const grown = new Map<string, readonly PluginMigration[]>()

  return {
    registry,
    async publish({ name, version, source, wishes = {}, tag, after }) {
      const file = join(root, `${name.replace(/\W/g, '-')}-${version}.ts`)
      await writeFile(file, source)
      const [{ bundle }, module] = await Promise.all([
        packPlugin(file),
        import(file) as Promise<{ default: Plugin }>,
      ])
      const manifest = manifestOf(module.default)
      const before = grown.get(`${name}@${after ?? latest.get(name)}`) ?? []
      const { operations, refusals } = diffMigrations(foldMigrations(before), manifest, parseWishes(wishes))
      if (refusals.length > 0) throw new Error(refusals.join(' '))
      const number = String(before.length + 1).padStart(4, '0')
      const migrations =
        operations.length === 0
          ? before
          : [...before, { name: `${number}-release`, release: version, operations }]
      grown.set(`${name}@${version}`, migrations)
      latest.set(name, version)
      const files = Object.fromEntries(
        migrations.map(({ name: migration, ...rest }) => [
          `migrations/${migration}.json`,
          JSON.stringify(rest),
        ]),
      )
      const tarball = archiveOf(packageEntries({ name, version, bundle, manifest, files }))
      const integrity = await registry.publish({
        name,
        version,
        tarball,
        ...(tag === undefined ? {} : { tag }),
      })
      return { integrity, manifest }
    },
  }
}
