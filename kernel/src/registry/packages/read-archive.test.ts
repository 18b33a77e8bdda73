// Archives that nobody thought of: whatever the bytes, either the package is refused or what is read has plain names.
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import t from 'tap'
import { archiveOf, packageEntries, tarOf } from '../../../../tests/support/package-archive.ts'
import { isPlinthError } from '../../errors.ts'
import { foldPath, isPlainPath } from './archive-path.ts'
import { packageLimits } from './package-limits.ts'
import { readArchive } from './read-archive.ts'
import { refusalsOf } from './refusal.ts'

const refuse = refusalsOf('@acme/notes', '1.0.0')
const read = (tarball: Buffer) => readArchive(tarball, packageLimits, refuse)

/** The files, or undefined when it was refused; everything else is thrown. */
const outcome = (tarball: Buffer) =>
  read(tarball).catch((error: unknown) => {
    if (isPlinthError(error) && error.code === 'PACKAGE_REFUSED') return undefined
    throw error
  })

t.test('an archive gives its files, and folders are no files', async (t) => {
  const files = await read(archiveOf([{ path: 'package/dist/', type: 'Directory' }, ...packageEntries()]))
  t.same([...files.keys()], ['package.json', 'dist/plugin.js', 'dist/manifest.json'])
})

t.test('whatever an entry is called, what is read has plain names, each once', async () => {
  const names = fc.array(
    fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('..', '.', '', 'a', 'A', 'package')),
    {
      minLength: 1,
      maxLength: 5,
    },
  )
  await fc.assert(
    fc.asyncProperty(names, fc.boolean(), async (segments, pax) => {
      const path = `package/${segments.join('/')}`
      const files = await outcome(
        archiveOf([
          { path: 'package/a', content: '' },
          { path, pax, content: 'x' },
        ]),
      )
      if (!files) return true
      const folded = [...files.keys()].map(foldPath)
      return [...files.keys()].every(isPlainPath) && new Set(folded).size === folded.length
    }),
    { numRuns: 300 },
  )
})

t.test('a damaged archive is refused or read, and never anything else', async () => {
  const whole = tarOf(packageEntries())
  await fc.assert(
    fc.asyncProperty(
      fc.nat(whole.length - 1),
      fc.nat(255),
      fc.nat(whole.length),
      async (at, byte, length) => {
        const damaged = Buffer.from(whole)
        damaged[at] = byte
        await outcome(gzipSync(damaged.subarray(0, length)))
      },
    ),
    { numRuns: 300 },
  )
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 2_000 }), async (bytes) => {
      await outcome(Buffer.from(bytes))
      await outcome(gzipSync(bytes))
    }),
    { numRuns: 200 },
  )
})
