// Holds the table in docs/limits.md and kernel/src/entitlements/governor-limits.ts equal. `--write` writes the table
// from the code; the text around it is written by people.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { limitNames, limitRows } from '../kernel/src/entitlements/governor-limits.ts'
import { conclude } from './conclude.ts'

const page = 'docs/limits.md'
const begin = '<!-- limits: written by scripts/check-limits.ts -->'
const end = '<!-- end of limits -->'

const figure = (value: number, unit: string): string => {
  if (unit === 'bytes' && value % 1_048_576 === 0) return `${value / 1_048_576} MiB`
  return unit === 'ms' ? `${value.toLocaleString('en')} ms` : value.toLocaleString('en')
}

export function limitsTable(): string {
  const rows = limitNames.map((name) => {
    const { unit, request, job, most, counts } = limitRows[name]
    const highest = most === undefined ? 'fixed' : figure(most, unit)
    return `| \`${name}\` | ${figure(request, unit)} | ${figure(job, unit)} | ${highest} | ${counts} |`
  })
  return [
    begin,
    '| limit | request | job | may be set to | counts |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    end,
  ].join('\n')
}

/** The page with the table as the code would have it; undefined when it has no place for one. */
export function withTable(text: string): string | undefined {
  const from = text.indexOf(begin)
  const to = text.indexOf(end)
  return from === -1 || to < from
    ? undefined
    : text.slice(0, from) + limitsTable() + text.slice(to + end.length)
}

if (import.meta.main) {
  const text = existsSync(page) ? readFileSync(page, 'utf8') : ''
  const wanted = withTable(text)
  const isWriting = process.argv.includes('--write') && wanted !== undefined
  if (isWriting) writeFileSync(page, wanted)
  conclude(
    isWriting || wanted === text
      ? []
      : [`${page} differs from governor-limits.ts. Run \`node scripts/check-limits.ts --write\`.`],
    `limits: ${limitNames.length}, all documented`,
  )
}
