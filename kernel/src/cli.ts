#!/usr/bin/env node
// The command `plinth`: what an ISV does to a plugin's folder. Starting the kernel is main.ts.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { Manifest } from '@plinth/sdk'
import pino from 'pino'
import { diffMigrations } from './data/plugin-migrations/diff-migrations.ts'
import { foldMigrations } from './data/plugin-migrations/storage-shape.ts'
import { migrationName } from './migration-name.ts'
import { describePlugin } from './registry/describe-plugin.ts'
import { packPlugin } from './registry/pack-plugin.ts'
import { readMigrations } from './registry/plugin-code.ts'
import { createHostStarter } from './sandbox/supervisor.ts'

const usage = `plinth pack [folder]              bundle a plugin: dist/plugin.js and dist/manifest.json
plinth migrate [folder] [--name n] write the next migration from what the entities have become
`

async function sourceOf(folder: string): Promise<string> {
  const json: { plinth?: { plugin?: string } } = JSON.parse(
    await readFile(join(folder, 'package.json'), 'utf8'),
  )
  const entry = json.plinth?.plugin
  if (entry === undefined)
    throw new Error(`${folder}/package.json has no "plinth": { "plugin": "src/plugin.ts" }.`)
  return join(folder, entry)
}

/** Bundles the plugin and asks it, in a sandbox as the kernel's, what it is. */
async function describe(folder: string): Promise<{ bundle: string; manifest: Manifest }> {
  const { bundle } = await packPlugin(await sourceOf(folder))
  const log = pino({ level: 'error' }, pino.destination(2))
  const startHost = await createHostStarter(log)
  const host = await startHost({ name: folder, bundle, log })
  try {
    return { bundle, manifest: await describePlugin(host) }
  } finally {
    await host.close()
  }
}

async function pack(folder: string): Promise<string> {
  const { bundle, manifest } = await describe(folder)
  const dist = join(folder, 'dist')
  await mkdir(dist, { recursive: true })
  await writeFile(join(dist, 'plugin.js'), bundle)
  await writeFile(join(dist, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  return `Packed '${manifest.name}': dist/plugin.js (${Math.ceil(bundle.length / 1024)} KB) and dist/manifest.json.`
}

async function migrate(folder: string, name: string | undefined): Promise<string> {
  const { manifest } = await describe(folder)
  const migrations = await readMigrations(folder)
  const shape = foldMigrations(migrations.flatMap((migration) => migration.operations))
  const { operations, refusals } = diffMigrations(shape, manifest)
  if (refusals.length > 0) throw new Error(`No migration was written. ${refusals.join(' ')}`)
  if (operations.length === 0) return `The migrations of '${manifest.name}' are up to date.`
  const next = String(migrations.length + 1).padStart(4, '0')
  const file = `${next}-${name ?? (migrations.length === 0 ? 'first' : 'change')}.json`
  await mkdir(join(folder, 'migrations'), { recursive: true })
  // 'wx': a file that is there already may have run somewhere, and is never replaced.
  await writeFile(join(folder, 'migrations', file), `${JSON.stringify({ operations }, null, 2)}\n`, {
    flag: 'wx',
  })
  return `Wrote migrations/${file}: ${operations.length} operations.`
}

async function run(): Promise<string> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { name: { type: 'string' } } })
  const [command, folder = '.'] = positionals
  if (command === 'pack') return pack(resolve(folder))
  if (command === 'migrate') return migrate(resolve(folder), migrationName(values.name))
  throw new Error(`There is no command '${command ?? ''}'.\n\n${usage}`)
}

run().then(
  (message) => process.stdout.write(`${message}\n`),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  },
)
