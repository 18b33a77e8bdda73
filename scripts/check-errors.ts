// Holds the kernel's error table and docs/errors.md equal, row by row. `--write` writes the page from the code.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { errors, type PlinthError } from '../kernel/src/errors.ts'
import { conclude } from './conclude.ts'

const page = 'docs/errors.md'

/** What the check needs of an error definition: calling it with any data makes the error. */
type Definitions = Readonly<Record<string, (data: never) => PlinthError>>

/** Code -> its row in the page. */
function rows(definitions: Definitions): Map<string, string> {
  const made = Object.values(definitions).map((make) => make(slots()))
  const sorted = made.sort((one, other) => order(one) - order(other) || (one.code < other.code ? -1 : 1))
  return new Map(sorted.map((error) => [error.code, rowOf(error)]))
}

// One row may stand for several statuses, when the status is data: those are all the caller's.
const order = ({ status }: PlinthError): number => (Number.isInteger(status) ? status : 499)

const rowOf = ({ code, status, message }: PlinthError): string =>
  `| \`${code}\` | ${Number.isInteger(status) ? status : '4xx'} | ${message.replaceAll('|', '\\|')} |`

/** Data whose every field is its own name in braces, so that a message shows its slots. */
const slots = (): never => new Proxy<never>({} as never, { get: (_, field) => slot(String(field)) })

const slot = (name: string) => {
  const text = `{${name}}`
  const list = { join: () => text, map: () => list }
  return { toString: () => text, ...list, slice: () => list }
}

export function errorsPage(definitions: Definitions): string {
  return `# Errors

Every refusal is a problem document (RFC 9457, \`application/problem+json\`) with a stable \`code\`: programs compare
the code, people read the \`detail\`. Codes never change and are never used again for something else. \`requestId\`
finds the request in the logs; \`errors\`, where it is present, names each field by its path, such as
\`lines.2.debit.amount\`. It has 50 entries at most; \`more\` says how many others there are, and \`detail\` repeats five.

The status says whose fault it is: 4xx the caller's, 502 and 504 the module's, 500 and 503 ours. A module has codes of
its own besides these (\`ENTRY_UNBALANCED\`, say); they are documented with the module and in \`/openapi.json\`.

| code | status | detail |
| --- | --- | --- |
${[...rows(definitions).values()].join('\n')}
`
}

/** Sentences on what the page and the code disagree about. */
export function compareErrors(definitions: Definitions, text: string): string[] {
  const wanted = rows(definitions)
  const documented = new Map<string, string>()
  for (const [row, code] of text.matchAll(/^\| `([A-Z0-9_]+)` \|.*$/gm)) documented.set(code ?? '', row)
  const problems: string[] = []
  for (const [code, row] of wanted) {
    const found = documented.get(code)
    if (found === undefined) problems.push(`${page} does not have ${code}.`)
    else if (found !== row) problems.push(`${page} says something else about ${code} than the code does.`)
  }
  for (const code of documented.keys()) {
    if (!wanted.has(code)) problems.push(`${page} has ${code}, which kernel/src/errors.ts does not.`)
  }
  if (wanted.size < Object.keys(definitions).length) problems.push('kernel/src/errors.ts has one code twice.')
  return problems
}

if (import.meta.main) {
  if (process.argv.includes('--write')) writeFileSync(page, errorsPage(errors))
  const problems = compareErrors(errors, existsSync(page) ? readFileSync(page, 'utf8') : '')
  const hint =
    problems.length > 0 ? ['`node scripts/check-errors.ts --write` writes the page from the code.'] : []
  conclude([...problems, ...hint], `errors: ${Object.keys(errors).length} codes, all documented`)
}
