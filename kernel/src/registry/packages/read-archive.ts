// The files of a package's archive, in memory: nothing is extracted, so nothing can be overwritten, and what is not a
// plain file with a plain name refuses the whole package.
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { Parser, type ReadEntry } from 'tar'
import { allStand, type DefencesOff } from '../../defences.ts'
import { foldPath, pathInPackage } from './archive-path.ts'
import type { PackageLimits } from './package-limits.ts'
import { type Refuse, shown } from './refusal.ts'

const unzip = promisify(gunzip)
const files = ['File', 'OldFile']
const blockSize = 512

async function unzipped(tarball: Buffer, limit: number, refuse: Refuse): Promise<Buffer> {
  try {
    // Stops at the limit, and not after it.
    return await unzip(tarball, { maxOutputLength: limit })
  } catch (cause) {
    const isTooLarge = cause instanceof Error && 'code' in cause && cause.code === 'ERR_BUFFER_TOO_LARGE'
    throw isTooLarge
      ? refuse('too-large', `Its archive has more than ${limit} bytes when it is unzipped.`)
      : refuse('archive', 'Its archive is not a gzip file.', cause)
  }
}

/** By path in the package. */
export async function readArchive(
  tarball: Buffer,
  limits: PackageLimits,
  refuse: Refuse,
  off: DefencesOff = allStand,
): Promise<ReadonlyMap<string, Buffer>> {
  const isBounded = !off.has('archiveSize')
  const isPlain = !off.has('archivePaths')
  const tar = await unzipped(tarball, isBounded ? limits.unpacked : 2 ** 30, refuse)
  // The parser would unzip it again, without our limit.
  if (tar.length >= 2 && tar.readUInt16BE(0) === 0x1f8b)
    throw refuse('archive', 'Its archive is zipped twice.')
  if (tar.length % blockSize !== 0) throw refuse('archive', 'Its archive is damaged: it ends within a block.')
  const found = new Map<string, Buffer>()
  const seen = new Set<string>()
  let entries = 0

  function admit(entry: ReadEntry): string {
    entries += 1
    if (isBounded && entries > limits.files)
      throw refuse('too-large', `Its archive has more than ${limits.files} entries.`)
    if (!isPlain) return entry.path.replace(/^[^/]*\//, '')
    const place = pathInPackage(entry.path)
    if ('problem' in place)
      throw refuse('archive', `The path '${shown(entry.path)}' in its archive ${place.problem}.`)
    if (entry.type === 'Directory') return place.path
    if (!files.includes(entry.type))
      throw refuse(
        'archive',
        `'${shown(entry.path)}' in its archive is a ${entry.type}; only files are taken.`,
      )
    const folded = foldPath(place.path)
    if (seen.has(folded)) throw refuse('archive', `Its archive has '${shown(entry.path)}' twice.`)
    seen.add(folded)
    return place.path
  }

  const broken = (cause: unknown) => refuse('archive', 'Its archive is damaged.', cause)
  let problem: unknown
  const attempt = (work: () => void) => {
    try {
      if (problem === undefined) work()
    } catch (error) {
      problem = error
    }
  }
  // Strict: what the parser would skip with a warning is an error.
  const parser = new Parser({ strict: true, zstd: false })
  parser.on('error', (error: unknown) =>
    attempt(() => {
      throw broken(error)
    }),
  )
  // A long path has a header of its own, which the parser cuts at a NUL; another reader would not.
  parser.on('meta', (text: string) =>
    attempt(() => {
      if (isPlain && text.replace(/\0+$/, '').includes('\0'))
        throw refuse('archive', 'A path in its archive has a character that cannot be seen.')
    }),
  )
  // Kinds that tar does not know, and headers that are too long.
  parser.on('ignoredEntry', (entry: ReadEntry) =>
    attempt(() => {
      if (isPlain)
        throw refuse(
          'archive',
          `'${shown(entry.path)}' in its archive is a ${entry.type}; only files are taken.`,
        )
    }),
  )
  parser.on('entry', (entry: ReadEntry) => {
    const chunks: Buffer[] = []
    entry.on('data', (chunk: Buffer) => chunks.push(chunk))
    entry.on('end', () =>
      attempt(() => {
        const path = admit(entry)
        if (files.includes(entry.type)) found.set(path, Buffer.concat(chunks))
      }),
    )
  })
  await new Promise<void>((resolve) => {
    parser.once('close', resolve)
    parser.once('error', resolve)
    parser.end(tar)
  })
  if (problem !== undefined) throw problem
  return found
}
