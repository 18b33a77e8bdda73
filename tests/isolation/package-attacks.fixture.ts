// Attacks with packages: what refuses each, and which wall alone stands in its way. Rows without a wall are refused by
// several, or by the parser itself.
import { randomBytes } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { entityOf } from '../support/manifest.ts'
import {
  type ArchiveEntry,
  archiveOf,
  bundleSaying,
  notes,
  packageEntries,
  tarOf,
} from '../support/package-archive.ts'
import type { Attack, Hostile } from '../support/package-lab.ts'

const entry = (path: string, rest: Partial<ArchiveEntry> = {}): Hostile => ({
  more: [{ path, content: rest.type === undefined ? 'x' : '', ...rest }],
})
const inFile = (path: string, content: string): Hostile => ({ made: { files: { [path]: content } } })
const archive = (attack: string, hostile: Hostile): Attack => ({
  attack,
  defence: 'archivePaths',
  expected: 'archive',
  hostile,
})
const large = (attack: string, hostile: Hostile): Attack => ({
  attack,
  defence: 'archiveSize',
  expected: 'too-large',
  hostile,
})
const saying = (manifest: object): Hostile => ({
  made: { manifest: JSON.stringify({ ...notes, ...manifest }) },
})

const megabyte = 1024 * 1024
const accent = '\u00e9'
const files = (count: number, path: (n: number) => string, content: string): Hostile => ({
  more: Array.from({ length: count }, (_, n) => ({ path: path(n), content })),
})
const migration = (n: number) => `package/migrations/${String(n).padStart(4, '0')}-m.json`

export const archives: readonly Attack[] = [
  archive('a path that climbs out (zip-slip)', entry('package/../../../evil.js')),
  archive('an absolute path', entry('/etc/cron.d/evil')),
  archive('a path with backslashes', entry('package\\..\\..\\evil.js')),
  archive('a path on a drive', entry('C:/evil.js')),
  archive('a path with a NUL', entry('package/evil\0.js', { pax: true })),
  archive('a path that reads backwards', entry('package/\u202esj.live', { pax: true })),
  archive('a path with a dot in the way', entry('package/./dist/plugin.js')),
  archive('a path beside the package', entry('elsewhere/evil.js')),
  archive('a symbolic link', entry('package/link', { type: 'SymbolicLink', linkpath: '/etc/passwd' })),
  archive('a hard link', entry('package/link', { type: 'Link', linkpath: '/etc/passwd' })),
  archive('a device', entry('package/device', { type: 'CharacterDevice' })),
  archive('a pipe', entry('package/pipe', { type: 'FIFO' })),
  archive(
    'the bundle twice',
    entry('package/dist/plugin.js', { content: bundleSaying(JSON.stringify(notes)) }),
  ),
  archive('the bundle twice, in other case', entry('package/DIST/plugin.JS')),
  archive('one name in two forms of Unicode', {
    more: [
      { path: `package/${accent}`, content: 'a' },
      { path: `package/${accent.normalize('NFD')}`, content: 'b' },
    ],
  }),
  large('a zip bomb', entry('package/zeros', { content: Buffer.alloc(12 * megabyte) })),
  large(
    '1,001 files',
    files(1_001, (n) => `package/f/${n}`, ''),
  ),
  large('a bundle of more than 2 MB', {
    made: { bundle: `${bundleSaying(JSON.stringify(notes))}//${'x'.repeat(2 * megabyte)}` },
  }),
  large('a manifest of more than 256 KB', {
    made: { manifest: JSON.stringify(notes) + ' '.repeat(256 * 1024) },
  }),
  large('migrations of more than 1 MB', files(1, migration, `{"operations":[]${' '.repeat(megabyte)}}`)),
  large('201 migrations', files(201, migration, '{"operations":[]}')),
  {
    attack: 'an archive of more than 10 MB',
    expected: 'too-large',
    hostile: { tarball: randomBytes(10 * megabyte + 1) },
  },
  {
    attack: 'an archive zipped twice',
    expected: 'archive',
    hostile: { tarball: gzipSync(archiveOf(packageEntries())) },
  },
  { attack: 'an archive that is none', expected: 'archive', hostile: { tarball: Buffer.from('not gzip') } },
  {
    attack: 'an archive that ends early',
    expected: 'archive',
    hostile: { tarball: gzipSync(tarOf(packageEntries()).subarray(0, 1_600)) },
  },
  {
    attack: 'an archive that ends within a header',
    expected: 'archive',
    hostile: { tarball: gzipSync(tarOf(packageEntries()).subarray(0, 1_200)) },
  },
  {
    attack: 'a header with a wrong sum',
    expected: 'archive',
    hostile: { tarball: gzipSync(Buffer.concat([Buffer.alloc(512, 'x'), tarOf(packageEntries())])) },
  },
]

export const contents: readonly Attack[] = [
  {
    attack: 'another name in package.json',
    expected: 'contents',
    hostile: { made: { packageJson: { name: '@acme/other' } } },
  },
  {
    attack: 'a name in package.json that cannot be made a text',
    expected: 'contents',
    hostile: { made: { packageJson: { name: { toString: 1 } } } },
  },
  {
    attack: 'another version in package.json',
    expected: 'contents',
    hostile: { made: { packageJson: { version: '9.9.9' } } },
  },
  {
    attack: '__proto__ in package.json',
    expected: 'contents',
    hostile: { made: { packageJsonText: '{"__proto__":{"name":"@acme/notes"},"plinth":{}}' } },
  },
  {
    attack: '__proto__ in the manifest',
    expected: 'contents',
    hostile: {
      made: {
        bundle: bundleSaying(JSON.stringify(notes)),
        manifest: `{"__proto__":{},${JSON.stringify(notes).slice(1)}`,
      },
    },
  },
  {
    attack: '__proto__ in a migration',
    expected: 'contents',
    hostile: inFile('migrations/0001-a.json', '{"__proto__":{}}'),
  },
  {
    attack: 'a manifest nested too deep to walk',
    expected: 'contents',
    hostile: {
      made: {
        bundle: bundleSaying(JSON.stringify(notes)),
        manifest: '['.repeat(100_000) + ']'.repeat(100_000),
      },
    },
  },
  {
    attack: 'a bundle outside the package',
    expected: 'contents',
    hostile: {
      made: { packageJson: { plinth: { bundle: '../../../etc/passwd', manifest: 'dist/manifest.json' } } },
    },
  },
  {
    attack: 'a bundle that is not there',
    expected: 'contents',
    hostile: { made: { packageJson: { plinth: { bundle: 'toString', manifest: 'dist/manifest.json' } } } },
  },
  {
    attack: 'a migration that is named as it likes',
    expected: 'migrations',
    hostile: inFile('migrations/zz; drop.json', '{}'),
  },
  {
    attack: 'a migration that makes what no entity is',
    expected: 'migrations',
    hostile: inFile(
      'migrations/0001-a.json',
      '{"operations":[{"op":"createEntity","entity":"ghost","spec":{"fields":{},"indexes":[]}}]}',
    ),
  },
  {
    attack: 'a migration with SQL',
    expected: 'migrations',
    hostile: inFile('migrations/0001-a.json', '{"operations":[{"op":"sql","text":"drop table x"}]}'),
  },
  {
    attack: 'another SDK',
    expected: 'sdk',
    hostile: { made: { packageJson: { peerDependencies: { '@plinth/sdk': '^99.0.0' } } } },
  },
  {
    attack: 'a range of the SDK that is none',
    expected: 'sdk',
    hostile: { made: { packageJson: { peerDependencies: { '@plinth/sdk': 'x || ; rm' } } } },
  },
]

const lying = (manifest: string, shipped: object = notes): Hostile => ({
  made: { bundle: bundleSaying(manifest), manifest: JSON.stringify(shipped) },
})
export const manifests: readonly Attack[] = [
  {
    attack: 'a manifest that asks for less than the code',
    defence: 'manifestCompare',
    expected: 'manifest',
    hostile: lying(JSON.stringify({ ...notes, needs: { sql: 'read' } })),
  },
  {
    attack: 'a manifest of the moment',
    defence: 'manifestCompare',
    expected: 'manifest',
    hostile: lying(`{...${JSON.stringify(notes)}, title: 'At ' + Date.now()}`),
  },
  {
    attack: 'a manifest of chance',
    defence: 'manifestCompare',
    expected: 'manifest',
    hostile: lying(`{...${JSON.stringify(notes)}, title: 'It is ' + Math.random()}`),
  },
  {
    attack: 'a bundle that loops when it is loaded',
    expected: 'manifest',
    hostile: { made: { bundle: 'for (;;) {}' } },
  },
  {
    attack: 'a bundle that loops when it is asked',
    expected: 'manifest',
    hostile: lying('(() => { for (;;) {} })()'),
  },
  {
    attack: 'a bundle that fills the memory',
    expected: 'manifest',
    hostile: { made: { bundle: 'const all = []; for (;;) all.push({ all })' } },
  },
  { attack: 'a bundle without a plugin', expected: 'manifest', hostile: { made: { bundle: '1' } } },
  { attack: 'a bundle that breaks its syntax', expected: 'manifest', hostile: { made: { bundle: '}{' } } },
  { attack: 'a manifest that is a list', expected: 'manifest', hostile: lying('[]') },
  { attack: 'a field nobody knows', expected: 'manifest', hostile: saying({ scripts: { install: 'x' } }) },
  { attack: 'the name of a kernel area', expected: 'manifest', hostile: saying({ name: 'operator' }) },
  { attack: 'the name of JavaScript’s own', expected: 'manifest', hostile: saying({ name: 'constructor' }) },
  {
    attack: 'a title that reads backwards',
    expected: 'manifest',
    hostile: saying({ title: 'Notes \u202eecnaniF' }),
  },
  {
    attack: 'an error that moves the cursor',
    expected: 'manifest',
    hostile: saying({ errors: { NO: { status: 409, message: '\u001b[2Jwelcome' } } }),
  },
  {
    attack: 'two entities with one path',
    expected: 'manifest',
    hostile: saying({ entities: { a: entityOf({}), b: entityOf({}) } }),
  },
  {
    attack: 'a route under an entity',
    expected: 'manifest',
    hostile: saying({
      entities: { a: entityOf({}) },
      routes: { r: { title: 'R', method: 'GET', path: '/things/x', query: {}, input: {} } },
    }),
  },
  {
    attack: 'two lines in one table',
    expected: 'manifest',
    hostile: saying({
      entities: {
        a: entityOf({ bC: { kind: 'lines', fields: { x: { kind: 'text' } } } }),
        aB: entityOf({ c: { kind: 'lines', fields: { x: { kind: 'text' } } } }, { path: 'others' }),
      },
    }),
  },
  {
    attack: 'lines in a table of the kernel',
    expected: 'manifest',
    hostile: saying({
      entities: { number: entityOf({ series: { kind: 'lines', fields: { x: { kind: 'text' } } } }) },
    }),
  },
  {
    attack: 'two fields in one column',
    expected: 'manifest',
    hostile: saying({
      entities: { a: entityOf({ total: { kind: 'money' }, totalAmount: { kind: 'decimal' } }) },
    }),
  },
  {
    attack: 'SQL in the name of an entity',
    expected: 'manifest',
    hostile: saying({ entities: { 'a"; drop table x --': entityOf({}) } }),
  },
  {
    attack: 'SQL in the name of a field',
    expected: 'manifest',
    hostile: saying({ entities: { a: entityOf({ 'x) ; --': { kind: 'text' } }) } }),
  },
  {
    attack: 'SQL in an index',
    expected: 'manifest',
    hostile: saying({ entities: { a: entityOf({}, { indexes: [['x); drop']] }) } }),
  },
  {
    attack: 'an entity called constructor',
    expected: 'manifest',
    hostile: saying({ entities: { constructor: entityOf({}) } }),
  },
  {
    attack: 'the module of another package',
    expected: 'name',
    hostile: { owners: new Map([['notes', '@plinth/notes']]) },
  },
  {
    attack: 'a package that looks like another',
    expected: 'name',
    hostile: { made: { name: '@p1inth/fin-ance' }, owners: new Map([['finance', '@plinth/finance']]) },
  },
]
