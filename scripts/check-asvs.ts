// Looks that docs/asvs.md tells no tales: what is said to be met names files that exist and tests that are in them, each
// number stands once and in its chapter, and whatever is not met has a reason.
import { existsSync, readFileSync } from 'node:fs'
import { conclude } from './conclude.ts'

const page = 'docs/asvs.md'
const states = ['met', 'not yet', 'not applicable'] as const
const chapters = 17
/** How many requirements ASVS 5.0 has of each level. */
const ofLevel = { '1': 70, '2': 183 } as const

interface Row {
  readonly chapter: string
  readonly number: string
  readonly level: string
  readonly state: string
  readonly shownBy: string
}

const cellsOf = (line: string): string[] =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim())

export function rowsIn(text: string): Row[] {
  let chapter = ''
  return text.split('\n').flatMap((line): Row[] => {
    chapter = /^## V(\d+) /.exec(line)?.[1] ?? chapter
    const [number = '', level = '', , state = '', shownBy = ''] = cellsOf(line)
    return /^\d/.test(number) ? [{ chapter, number, level, state, shownBy }] : []
  })
}

const hasTest = (source: string, test: string): boolean =>
  ["'", '"', '`'].some((quote) => source.includes(quote + test + quote))

/** `path` "name of a test", `path` */
const references = /`([^`"]+)`(?: "([^"]+)")?/g

function problemsOf(
  { chapter, number, level, state, shownBy }: Row,
  read: (path: string) => string | undefined,
): string[] {
  const problems: string[] = []
  const say = (what: string) => problems.push(`${page}: ${number} ${what}.`)
  if (!number.startsWith(`${chapter}.`)) say(`stands in chapter ${chapter}`)
  if (!/^[12]$/.test(level)) say('has a level that is neither 1 nor 2')
  if (!states.some((one) => one === state)) say(`is '${state}', which is none of ${states.join(', ')}`)
  if (shownBy === '') say('has neither a test nor a reason')
  if (state !== 'met') return problems
  const named = [...shownBy.matchAll(references)].filter(
    ([, path = '']) => path.includes('/') && path.includes('.'),
  )
  if (named.length === 0) say('is met and names no file')
  for (const [, path = '', test] of named) {
    const source = path.startsWith('/') ? '' : read(path)
    if (source === undefined) say(`names ${path}, which is not there`)
    else if (path.endsWith('.test.ts') && test === undefined) say(`names no test of ${path}`)
    else if (test !== undefined && !hasTest(source, test))
      say(`names the test "${test}", which ${path} has not got`)
  }
  return problems
}

export function asvsProblems(text: string, read: (path: string) => string | undefined): string[] {
  const rows = rowsIn(text)
  const found = new Set(rows.map(({ chapter }) => chapter))
  const missing = Array.from({ length: chapters }, (_, at) => String(at + 1)).filter((one) => !found.has(one))
  const numbers = rows.map(({ number }) => number)
  const twice = numbers.filter((number, at) => numbers.indexOf(number) !== at)
  return [
    ...missing.map((one) => `${page} has nothing of chapter ${one}.`),
    ...Object.entries(ofLevel).flatMap(([level, count]) => {
      const here = rows.filter((row) => row.level === level).length
      return here === count
        ? []
        : [`${page} has ${here} requirements of level ${level}, and there are ${count}.`]
    }),
    ...twice.map((number) => `${page}: ${number} stands twice.`),
    ...rows.flatMap((row) => problemsOf(row, read)),
  ]
}

if (import.meta.main) {
  const text = readFileSync(page, 'utf8')
  const problems = asvsProblems(text, (path) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined))
  const rows = rowsIn(text)
  const counts = states.map((state) => `${rows.filter((row) => row.state === state).length} ${state}`)
  conclude(problems, `asvs: ${rows.length} requirements (${counts.join(', ')})`)
}
