// The body of an answer, decompressed and bounded: every byte is counted as it comes, both as it was sent and as it
// unfolds, and the first one too many ends the reading.
import { Buffer } from 'node:buffer'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'

/** A limit of a fetch was hit. Recognised by name; the broker says whose limit it was. */
export interface FetchLimit extends Error {
  readonly name: 'FetchLimit'
  readonly limit: string
  readonly used: number
  readonly cap: number
}

export const fetchLimit = (limit: string, used: number, cap: number): FetchLimit =>
  Object.assign(new Error(`${limit}: ${used} of ${cap}`), { name: 'FetchLimit' as const, limit, used, cap })

export const isFetchLimit = (error: unknown): error is FetchLimit =>
  error instanceof Error && error.name === 'FetchLimit' && 'limit' in error

const decoders: Readonly<Record<string, () => Duplex>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
}

async function* counted(source: AsyncIterable<Buffer>, cap: number): AsyncGenerator<Buffer> {
  let bytes = 0
  for await (const chunk of source) {
    bytes += chunk.length
    if (bytes > cap) throw fetchLimit('fetched bytes', bytes, cap)
    yield chunk
  }
}

/** @throws FetchLimit; Error for an encoding that is unknown, doubled or broken */
export async function readAnswer(
  body: AsyncIterable<Buffer>,
  encoding: string,
  cap: number,
  signal: AbortSignal,
): Promise<Buffer> {
  const chunks: Buffer[] = []
  const collect = async (source: AsyncIterable<Buffer>) => {
    for await (const chunk of counted(source, cap)) chunks.push(chunk)
  }
  const name = encoding.trim().toLowerCase()
  if (name === '' || name === 'identity') await pipeline(body, collect, { signal })
  else {
    const decoder = Object.hasOwn(decoders, name) ? decoders[name] : undefined
    if (!decoder) throw new Error(`the answer is encoded as '${name.slice(0, 40)}'`)
    await pipeline(counted(body, cap), decoder(), collect, { signal })
  }
  return Buffer.concat(chunks)
}
