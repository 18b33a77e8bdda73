// One script from a plugin's sources and everything they import. esbuild reads and writes text: no code of the plugin
// runs here. The script leaves its plugin where the guest looks for it.
import { type BuildFailure, build } from 'esbuild'

/** Characters. */
export const largestBundle = 2 * 1024 * 1024

export interface PackedPlugin {
  readonly bundle: string
}

const isBuildFailure = (error: unknown): error is BuildFailure =>
  error instanceof Error && 'errors' in error && Array.isArray(error.errors)

/** @throws Error with half a sentence: `cannot be packed: ...` */
export async function packPlugin(entryFile: string): Promise<PackedPlugin> {
  const result = await build({
    stdin: {
      contents: `export { default as plugin } from ${JSON.stringify(entryFile)}`,
      resolveDir: '/',
      loader: 'ts',
    },
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'packed',
    footer: { js: 'globalThis.__plinthPlugin = packed.plugin;' },
    platform: 'neutral',
    mainFields: ['module', 'main'],
    target: 'esnext',
    logLevel: 'silent',
  }).catch((error: unknown) => {
    const first = isBuildFailure(error) ? error.errors[0] : undefined
    const where = first?.location ? ` (${first.location.file}:${first.location.line})` : ''
    throw new Error(`cannot be packed: ${first?.text ?? String(error)}${where}`, { cause: error })
  })
  const bundle = result.outputFiles[0]?.text ?? ''
  if (bundle.length > largestBundle) {
    throw new Error(
      `cannot be packed: it would have ${bundle.length} characters, and ${largestBundle} are the most`,
    )
  }
  return { bundle }
}
