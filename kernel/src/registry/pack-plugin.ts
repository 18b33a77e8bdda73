// One script from a plugin's sources and everything they import. esbuild reads and writes text: no code of the plugin
// runs here. The script leaves its plugin where the guest looks for it.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type BuildFailure, build, type Message } from 'esbuild'
import { refuseNodeModules } from './refuse-node-modules.ts'

/** Characters. */
export const largestBundle = 2 * 1024 * 1024

export interface PackedPlugin {
  readonly bundle: string
  /** Where each piece of the bundle came from. Never given to the isolate; files are named from the package's folder. */
  readonly sourceMap: string
}

const isBuildFailure = (error: unknown): error is BuildFailure =>
  error instanceof Error && 'errors' in error && Array.isArray(error.errors)

/** The folder of the package that a file belongs to. */
function packageFolder(file: string): string {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder
  }
  return dirname(file)
}

function sentenceOf(error: unknown): string {
  const first: Message | undefined = isBuildFailure(error) ? error.errors[0] : undefined
  const where = first?.location ? ` (${first.location.file}:${first.location.line})` : ''
  return `cannot be packed: ${(first?.text ?? String(error)).replace(/\.$/, '')}${where}`
}

/** @throws Error with half a sentence: `cannot be packed: ...` */
export async function packPlugin(entryFile: string): Promise<PackedPlugin> {
  const folder = packageFolder(entryFile)
  const result = await build({
    stdin: {
      contents: `export { default as plugin } from ${JSON.stringify(entryFile)}`,
      resolveDir: '/',
      loader: 'ts',
    },
    absWorkingDir: folder,
    bundle: true,
    write: false,
    // Only names the files in the source map: nothing is written.
    outfile: join(folder, 'plugin.js'),
    sourcemap: 'external',
    sourcesContent: false,
    format: 'iife',
    globalName: 'packed',
    footer: { js: 'globalThis.__plinthPlugin = packed.plugin;' },
    platform: 'neutral',
    mainFields: ['module', 'main'],
    target: 'esnext',
    logLevel: 'silent',
    plugins: [refuseNodeModules(folder)],
  }).catch((error: unknown) => {
    throw new Error(sentenceOf(error), { cause: error })
  })
  const textOf = (ending: string) => result.outputFiles.find(({ path }) => path.endsWith(ending))?.text ?? ''
  const bundle = textOf('plugin.js')
  if (bundle.length > largestBundle) {
    throw new Error(
      `cannot be packed: it would have ${bundle.length} characters, and ${largestBundle} are the most`,
    )
  }
  return { bundle, sourceMap: textOf('plugin.js.map') }
}
