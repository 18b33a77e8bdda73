// Refuses files that are too long to read at once and names that say nothing. `node scripts/check-sizes.ts`.

import { basename } from 'node:path'
import { conclude } from './conclude.ts'
import { readSource, sourceFiles } from './source-files.ts'

const longest = 400
const worthALook = 250
const emptyNames = /^(utils?|helpers?|lib|common|manager|misc)$/
const kebabCase = /^[a-z0-9]+(-[a-z0-9]+)*$/
const endings = ['.ts', '.mjs', '.tsx']

export interface SizeReport {
  readonly refused: readonly string[]
  readonly listed: readonly string[]
  readonly files: number
}

export function checkSizes(root: string): SizeReport {
  const refused: string[] = []
  const listed: string[] = []
  const files = sourceFiles(root, endings)
  for (const path of files) {
    const lines = readSource(root, path).trimEnd().split('\n').length
    if (lines > longest)
      refused.push(`${path} has ${lines} lines; the most is ${longest}. Give a part its own file.`)
    else if (lines > worthALook) listed.push(`${path} has ${lines} lines.`)
    refused.push(...wrongNames(path))
  }
  return { refused, listed, files: files.length }
}

function wrongNames(path: string): string[] {
  // `.test` and `.fixture` say what a file is for; a test may also say which side of its subject it is on.
  const stem = basename(path).replace(/((\.[a-z]+)?\.(test|fixture))?\.[a-z]+$/, '')
  const folders = path.split('/').slice(0, -1)
  const named = [stem, ...folders]
  const wrong: string[] = []
  if (!kebabCase.test(stem)) wrong.push(`${path}: file names are kebab-case.`)
  for (const name of named) {
    if (emptyNames.test(name))
      wrong.push(`${path}: '${name}' says nothing. Name it for the one thing it holds.`)
  }
  return wrong
}

if (import.meta.main) {
  const { refused, listed, files } = checkSizes(process.cwd())
  for (const line of listed) console.log(`Think again: ${line}`)
  conclude(refused, `sizes: ${files} files, none over ${longest} lines, ${listed.length} over ${worthALook}`)
}
