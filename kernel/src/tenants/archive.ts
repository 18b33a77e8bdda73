// A tar archive that is written as its parts come: no part is known before it is asked for, and none is kept.
import { Header } from 'tar'

const blockBytes = 512

/** One file: header, bytes, and zeros up to the next block. */
export function* archived(path: string, bytes: Buffer, at: Date): Generator<Buffer> {
  const header = new Header({
    path,
    mode: 0o644,
    size: bytes.length,
    type: 'File',
    mtime: at,
    uid: 0,
    gid: 0,
  })
  header.encode()
  if (header.block) yield header.block
  yield bytes
  const rest = bytes.length % blockBytes
  if (rest > 0) yield Buffer.alloc(blockBytes - rest)
}

/** Two blocks of zeros end an archive: one without them was cut off. */
export const archiveEnd = (): Buffer => Buffer.alloc(2 * blockBytes)
