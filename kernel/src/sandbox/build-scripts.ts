// The two scripts of our own that run beyond the kernel: the host process's and the guest's. Bundled from their
// sources at the first start of a host, so that neither needs to read a file where it runs.
import { join } from 'node:path'
import { build } from 'esbuild'
import { allStand, type DefencesOff } from '../defences.ts'

const source = (path: string) => join(import.meta.dirname, '..', path)

async function bundle(entry: string, format: 'cjs' | 'iife', minify = false): Promise<string> {
  const result = await build({
    entryPoints: [source(entry)],
    bundle: true,
    write: false,
    format,
    ...(format === 'iife' ? { globalName: 'guest' } : {}),
    platform: format === 'cjs' ? 'node' : 'neutral',
    mainFields: ['module', 'main'],
    target: 'esnext',
    minify,
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

/** Large parts of the guest that few plugins need: functions in its script, which V8 compiles when they are called. */
const lazyUnits = { urls: 'guest/web/urls.ts', cryptography: 'guest/web/cryptography.ts' }

async function bundleGuest(strips: boolean): Promise<string> {
  const main = await bundle('guest/main.ts', 'iife')
  const units = await Promise.all(
    Object.entries(lazyUnits).map(
      async ([name, entry]) => `${name}: () => {\n${await bundle(entry, 'iife', true)}\nreturn guest }`,
    ),
  )
  const options = `{ strips: ${strips}, lazy: { ${units.join(',\n')} } }`
  return `(() => {\n${main}\nconst options = ${options}
return (send, limits, seed) => guest.boot(send, limits, seed, options)\n})()`
}

export async function buildScripts(off: DefencesOff = allStand): Promise<Scripts> {
  const [host, guest] = await Promise.all([
    bundle('host/main.ts', 'cjs'),
    bundleGuest(!off.has('guestGlobals')),
  ])
  return { host, guest }
}
