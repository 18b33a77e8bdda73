// The repository's own source files, and what a check needs to know of one: its imports, and its code without
// comments and without the insides of texts.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const skipped = new Set(['node_modules', 'dist', '.git', '.data', '.tap', 'coverage'])

/** Paths below `root` with `/` in them, sorted, of files that end in one of `endings`. */
export function sourceFiles(root: string, endings: readonly string[] = ['.ts', '.mjs']): string[] {
  const found: string[] = []
  const visit = (folder: string) => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      if (skipped.has(entry.name)) continue
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (entry.isDirectory()) visit(path)
      else if (endings.some((ending) => entry.name.endsWith(ending))) found.push(path)
    }
  }
  visit('')
  return found.sort()
}

export const readSource = (root: string, path: string): string => readFileSync(join(root, path), 'utf8')

/** Tests, their fixtures and their support: free to reach into what they test. */
export const isTestFile = (path: string): boolean =>
  /(\.test|[.-]fixture)\.ts$|^tests\/|^plugins\/[^/]+\/src\/testing\//.test(path)

export interface Import {
  readonly from: string
  readonly typeOnly: boolean
  readonly line: number
}

const statement = /^[ \t]*(import|export)\b([^'"`;()=]*?)\bfrom\s*['"]([^'"]+)['"]/gm
const sideEffect = /^[ \t]*import\s*['"]([^'"]+)['"]/gm
const dynamic = /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g

/** Every module the source names, in static, side-effect and dynamic imports and in re-exports. */
export function importsOf(source: string): Import[] {
  const code = withoutComments(source)
  const at = (index: number | undefined) => code.slice(0, index).split('\n').length
  const found: Import[] = []
  for (const match of code.matchAll(statement)) {
    // A match starts at its line's indentation, so its index is on the right line.
    const typeOnly = /^\s+type\b/.test(match[2] ?? '')
    found.push({ from: match[3] ?? '', typeOnly, line: at(match.index) })
  }
  for (const pattern of [sideEffect, dynamic]) {
    for (const match of code.matchAll(pattern)) {
      found.push({ from: match[1] ?? '', typeOnly: false, line: at(match.index) })
    }
  }
  return found.sort((one, other) => one.line - other.line)
}

/** Comments blanked, line breaks kept. */
export const withoutComments = (source: string): string => blank(source, false)

/** Comments and the insides of texts blanked, line breaks kept: what is left is code. */
export const codeOnly = (source: string): string => blank(source, true)

// A regular expression literal may hold quotes; it starts where a value may start.
const token =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|\$\{[^}]*\}|[^`\\])*`|(?<=(?:^|[=(,:;!&|?{}[\n]|\breturn|=>)\s*)\/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/g

function blank(source: string, insides: boolean): string {
  return source.replace(token, (text) => {
    if (text.startsWith('//') || text.startsWith('/*')) return text.replace(/[^\n]/g, ' ')
    if (!insides) return text
    return text.slice(0, 1) + text.slice(1, -1).replace(/[^\n]/g, ' ') + text.slice(-1)
  })
}
