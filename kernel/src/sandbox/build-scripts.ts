// The two scripts of our own that run beyond the kernel: the host process's and the guest's. Bundled from their
// sources at the first start of a host, so that neither needs to read a file where it runs.
import { join } from 'node:path'
import { build } from 'esbuild'

const source = (path: string) => join(import.meta.dirname, '..', path)

async function bundle(entry: string, format: 'cjs' | 'iife'): Promise<string> {
  const result = await build({
    entryPoints: [source(entry)],
    bundle: true,
    write: false,
    format,
    ...(format === 'iife' ? { globalName: 'guest' } : {}),
    platform: format === 'cjs' ? 'node' : 'neutral',
    mainFields: ['module', 'main'],
    target: 'esnext',
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'silent',
  })
  return result.outputFiles?.[0]?.text ?? ''
}

export interface Scripts {
  /** The program of the host process, for `node -e`. */
  readonly host: string
  /** Evaluates to the guest's `boot` and leaves no global behind. */
  readonly guest: string
}

export async function buildScripts(): Promise<Scripts> {
  const [host, guest] = await Promise.all([bundle('host/main.ts', 'cjs'), bundle('guest/main.ts', 'iife')])
  return { host, guest: `(() => {\n${guest}\nreturn guest.boot\n})()` }
}
