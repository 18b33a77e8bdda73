#!/usr/bin/env node
// The command `plinth`: what an ISV does to a plugin's folder, and what an operator does to the plugins of a running
// kernel. Starting the kernel is main.ts.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { parseArgs } from 'node:util'
import type { Manifest } from '@plinth/sdk'
import pino from 'pino'
import { loadConfig } from './config.ts'
import { parseWishes } from './data/plugin-migrations/migration-wishes.ts'
import { migrationName } from './migration-name.ts'
import {
  isOperatorCommand,
  operatorUsage,
  runOperatorCommand,
  UsageError,
} from './operator-cli/operator-commands.ts'
import { describePlugin } from './registry/describe-plugin.ts'
import { type PackedPlugin, packPlugin } from './registry/pack-plugin.ts'
import { writeMigration } from './registry/write-migration.ts'
import { createHostStarter } from './sandbox/supervisor.ts'

const usage = `plinth pack [folder]              bundle a plugin: dist/plugin.js (with its source map) and dist/manifest.json
plinth migrate [folder] [--name n] write the next migration from what the entities have become
  --rename account.code=account.number   it is the same field (or entity, or field of lines) under another name
  --drop account.note                    nobody needs it any more; it is kept until --contract
  --backfill account="update account set number = 0 where number is null"
                                         gives a value to the records that are there
  --contract                             drop what earlier releases retired
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
async function describe(folder: string): Promise<PackedPlugin & { manifest: Manifest }> {
  const { bundle, sourceMap } = await packPlugin(await sourceOf(folder))
  const log = pino({ level: 'error' }, pino.destination(2))
  const startHost = await createHostStarter(log)
  const host = await startHost({ name: folder, bundle, sourceMap: async () => sourceMap, log })
  try {
    return { bundle, sourceMap, manifest: await describePlugin(host) }
  } finally {
    await host.close()
  }
}

async function pack(folder: string): Promise<string> {
  const { bundle, sourceMap, manifest } = await describe(folder)
  const dist = join(folder, 'dist')
  await mkdir(dist, { recursive: true })
  await writeFile(join(dist, 'plugin.js'), bundle)
  await writeFile(join(dist, 'plugin.js.map'), sourceMap)
  await writeFile(join(dist, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  return `Packed '${manifest.name}': dist/plugin.js (${Math.ceil(bundle.length / 1024)} KB) and dist/manifest.json.`
}

/** The kernel's own, when it is generated: whoever may read its folder is the operator. */
async function operatorToken(): Promise<string> {
  const { operatorToken: given, dataDir } = loadConfig()
  if (given !== undefined) return given
  const file = join(dataDir, 'operator-token')
  return (
    await readFile(file, 'utf8').catch((cause: unknown) => {
      throw new Error(
        `There is no operator token: set PLINTH_OPERATOR_TOKEN, or DATA_DIR to the kernel's folder (looked at ${file}).`,
        { cause },
      )
    })
  ).trim()
}

const terminal = {
  print: (text: string) => void process.stdout.write(`${text}\n`),
  async confirm(question: string): Promise<boolean> {
    const lines = createInterface({ input: process.stdin, output: process.stderr })
    // The end of the input is no answer.
    const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')))
    const answer = await Promise.race([lines.question(`${question} [y/N] `), ended])
    lines.close()
    return /^y(es)?$/i.test(answer.trim())
  },
}

async function run(): Promise<string> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      name: { type: 'string' },
      rename: { type: 'string', multiple: true },
      drop: { type: 'string', multiple: true },
      backfill: { type: 'string', multiple: true },
      contract: { type: 'boolean', default: false },
    },
  })
  const [command, given = '.'] = positionals
  const folder = resolve(given)
  if (command === 'pack') return pack(folder)
  const wishes = parseWishes(values)
  const { manifest } = await describe(folder)
  return writeMigration({
    folder,
    manifest,
    name: migrationName(values.name),
    wishes,
    contract: values.contract,
  })
}

async function dispatch(): Promise<void> {
  const [command, ...rest] = process.argv.slice(2)
  if (command === 'pack' || command === 'migrate') return terminal.print(await run())
  if (!isOperatorCommand(command))
    throw new UsageError(`There is no command '${command ?? ''}'.\n\n${usage}${operatorUsage}`)
  if (!(await runOperatorCommand(command, rest, await operatorToken(), terminal))) process.exitCode = 1
}

dispatch().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = error instanceof UsageError ? 2 : 1
})
