// Turns `plinth:plugin:120:7` in what a plugin threw into `src/plugin.ts:34:7`, for the log and for development. The
// source map comes with a package and is read as a stranger's: bounded, plain in form, and ignored when it is not.
import type { TraceMap } from '@jridgewell/trace-mapping'
import type { Logger } from 'pino'
import { isPlinthError } from '../errors.ts'

/** Bytes of a source map's file. */
export const largestSourceMap = 8 * 1024 * 1024
// A bundle of the largest size has 1.2 million characters of mappings in 52 thousand lines. Decoding them takes the
// kernel 0.1 to 0.4 s, once in the life of a plugin.
const longestMappings = 2 * 1024 * 1024
const mostLines = 200_000
const mostSources = 10_000
const mostNames = 200_000
/** A name is printed into a log: a path and nothing else. */
const sourceName = /^[\w@.+~/ -]{1,300}$/

export type ReadSourceMap = () => Promise<string | undefined>

interface PlainMap {
  readonly version: 3
  readonly sources: readonly string[]
  readonly names: readonly string[]
  readonly mappings: string
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function texts(value: unknown, what: string, most: number): string[] {
  if (!Array.isArray(value) || value.length > most || !value.every((one) => typeof one === 'string'))
    throw new Error(`its ${what} are not a list of at most ${most} texts`)
  return value
}

/** @throws Error with half a sentence about the map */
function parseSourceMap(text: string): PlainMap {
  if (text.length > largestSourceMap) throw new Error(`it has more than ${largestSourceMap} characters`)
  const map: unknown = JSON.parse(text)
  if (!isObject(map) || map['version'] !== 3) throw new Error('it is no source map of version 3')
  // A map of maps can name itself, and no bundler that we ask writes one.
  if ('sections' in map) throw new Error('it has sections')
  const { mappings } = map
  if (typeof mappings !== 'string' || mappings.length > longestMappings || /[^A-Za-z0-9+/,;]/.test(mappings))
    throw new Error(`its mappings are not a text of at most ${longestMappings} characters`)
  if (mappings.split(';', mostLines + 1).length > mostLines)
    throw new Error(`its mappings have more than ${mostLines} lines`)
  return {
    version: 3,
    sources: texts(map['sources'], 'sources', mostSources),
    names: texts(map['names'] ?? [], 'names', mostNames),
    mappings,
  }
}

export interface SourcePositions {
  /** The text with the positions it names in the bundle replaced by those in the sources, as far as they are known. */
  explain(text: string): Promise<string>
  /** Rejects with what an invocation failed with, whose cause names the plugin's own files from now on. */
  rethrow(failure: unknown): Promise<never>
}

export function sourcePositions(
  read: ReadSourceMap | undefined,
  warn: (reason: string) => void,
): SourcePositions {
  // Most plugins never fail: library and map are loaded at the first failure, and kept.
  let opened: Promise<((line: number, column: number) => string | undefined) | undefined> | undefined

  async function open() {
    try {
      const text = await read?.()
      if (text === undefined) return undefined
      const map = parseSourceMap(text)
      const { originalPositionFor, TraceMap } = await import('@jridgewell/trace-mapping')
      const traced: TraceMap = new TraceMap({ ...map, sources: [...map.sources], names: [...map.names] })
      return (line: number, column: number) => {
        const { source, line: at, column: within } = originalPositionFor(traced, { line, column })
        return source !== null && sourceName.test(source) ? `${source}:${at}:${within + 1}` : undefined
      }
    } catch (error) {
      warn(error instanceof Error ? error.message.slice(0, 200) : 'it cannot be read')
      return undefined
    }
  }

  async function explain(text: string): Promise<string> {
    if (!text.includes('plinth:plugin:')) return text
    opened ??= open()
    const position = await opened
    if (!position) return text
    return text.replace(/plinth:plugin:(\d{1,8}):(\d{1,8})/g, (known, line: string, column: string) => {
      if (Number(line) < 1 || Number(column) < 1) return known
      return position(Number(line), Number(column) - 1) ?? known
    })
  }

  return {
    explain,
    async rethrow(failure) {
      const thrown = isPlinthError(failure) ? failure.cause : undefined
      if (thrown instanceof Error && thrown.stack !== undefined) thrown.stack = await explain(thrown.stack)
      throw failure
    },
  }
}

/** Those of a plugin that is being started; a map that is no good is told once. */
export const positionsOf = (plugin: {
  readonly name: string
  readonly sourceMap?: ReadSourceMap
  readonly log: Logger
}): SourcePositions =>
  sourcePositions(plugin.sourceMap, (reason) =>
    plugin.log.warn({ plugin: plugin.name, reason }, 'the source map of a plugin is ignored'),
  )
