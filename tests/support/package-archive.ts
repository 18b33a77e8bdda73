// Archives as npm makes them and as nobody should: entries are written as they are given, whatever they say.
import { gzipSync } from 'node:zlib'
import type { Manifest } from '@plinth/sdk'
import { Header, Pax } from 'tar'
import { manifestOf } from './manifest.ts'

export interface ArchiveEntry {
  readonly path: string
  readonly content?: string | Buffer
  readonly type?: 'File' | 'Directory' | 'SymbolicLink' | 'Link' | 'CharacterDevice' | 'FIFO'
  readonly linkpath?: string
  /** The path in a header of its own, which may hold what the short one cannot. */
  readonly pax?: boolean
}

const block = 512

function entryBytes({ path, content = '', type = 'File', linkpath, pax = false }: ArchiveEntry): Buffer[] {
  const bytes = Buffer.from(content)
  const header = new Header({
    path: pax ? 'package/x' : path,
    mode: 0o644,
    size: bytes.length,
    type,
    mtime: new Date(0),
    ...(linkpath === undefined ? {} : { linkpath }),
  })
  const head = Buffer.alloc(block)
  header.encode(head, 0)
  const long = pax ? [new Pax({ path }).encode()] : []
  return [...long, head, bytes, Buffer.alloc((block - (bytes.length % block)) % block)]
}

export const tarOf = (entries: readonly ArchiveEntry[]): Buffer =>
  Buffer.concat([...entries.flatMap(entryBytes), Buffer.alloc(2 * block)])

export const archiveOf = (entries: readonly ArchiveEntry[]): Buffer => gzipSync(tarOf(entries))

/** A bundle that says `manifest`, whatever the checks inside the sandbox think of it. `manifest` is JavaScript. */
export const bundleSaying = (manifest: string): string => `
globalThis.__plinthPlugin = { name: 'notes', spec: { name: 'notes', title: 'Notes' } }
Object.defineProperty(Object.prototype, 'toJSON', {
  value() { return this.manifestVersion === 1 ? (${manifest}) : this },
})
`

export const notes: Manifest = manifestOf('notes', {})

export interface MadePackage {
  readonly name?: string
  readonly version?: string
  /** Over the package.json that would work. */
  readonly packageJson?: Readonly<Record<string, unknown>>
  /** Instead of it. */
  readonly packageJsonText?: string
  readonly bundle?: string
  /** What is shipped. */
  readonly manifest?: Manifest | string
  readonly files?: Readonly<Record<string, string>>
}

/** The entries of a package that works, but for what is asked for. */
export function packageEntries(made: MadePackage = {}): ArchiveEntry[] {
  const { name = '@acme/notes', version = '1.0.0', manifest = notes } = made
  const shipped = typeof manifest === 'string' ? manifest : JSON.stringify(manifest)
  const json = {
    name,
    version,
    plinth: { bundle: 'dist/plugin.js', manifest: 'dist/manifest.json' },
    peerDependencies: { '@plinth/sdk': '^0.1.0' },
    ...made.packageJson,
  }
  const files = {
    'package.json': made.packageJsonText ?? JSON.stringify(json),
    'dist/plugin.js': made.bundle ?? bundleSaying(shipped),
    'dist/manifest.json': shipped,
    ...made.files,
  }
  return Object.entries(files).map(([path, content]) => ({ path: `package/${path}`, content }))
}
