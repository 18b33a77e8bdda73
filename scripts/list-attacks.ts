// Holds docs/attacks.md equal to the tables of attacks that the tests run, and looks that every wall of
// kernel/src/defences.ts is met by an attack that succeeds without it. `--write` writes the page.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { type AttackTable, attackTables, type ListedAttack } from '../tests/isolation/attack-tables.ts'
import { conclude } from './conclude.ts'

const page = 'docs/attacks.md'
const longestCell = 110

/** The walls by name with what is said of them, as they stand in the source. */
export const defencesIn = (source: string): ReadonlyMap<string, string> =>
  new Map(
    [...source.matchAll(/\/\*\* (.+) \*\/\n {2}\| '(\w+)'/g)].map(([, words = '', name = '']) => [
      name,
      words,
    ]),
  )

const cell = (text: string): string => {
  const shown = text.replace(/[^\x20-\x7e\u00a0-\u024f]/g, (one) => {
    const code = one.codePointAt(0) ?? 0
    return `\\u${code.toString(16).padStart(4, '0')}`
  })
  const cut = shown.length > longestCell ? `${shown.slice(0, longestCell)}...` : shown
  return cut.replaceAll('|', '\\|').replaceAll('<', '&lt;')
}

const byKind = (tables: readonly AttackTable[]): ReadonlyMap<string, readonly AttackTable[]> =>
  Map.groupBy(tables, ({ kind }) => kind)

const countOf = (tables: readonly AttackTable[]): number =>
  tables.reduce((sum, { attacks }) => sum + attacks.length, 0)

const rowOf = ({ attack, defence, expected, without }: ListedAttack, file: string): string =>
  `| ${cell(attack)} | ${cell(defence)}${without === undefined ? '' : ' *'} | ${cell(expected)} | ${file.replace('tests/isolation/', '')} |`

export function attackPage(tables: readonly AttackTable[], defences: ReadonlyMap<string, string>): string {
  const kinds = byKind(tables)
  const without = (name: string) =>
    tables.flatMap(({ attacks }) => attacks).filter((one) => one.without === name).length
  return `${[
    '# Attacks',
    '',
    'Written by `scripts/list-attacks.ts` from the tables that the tests run; do not edit it. Files are in',
    '`tests/isolation` unless a path says otherwise. A star: with that wall taken down by its switch the same attack',
    'succeeds, and the test shows it. What the walls are is in [security](security.md).',
    '',
    '| kind | attacks |',
    '| --- | --- |',
    ...[...kinds].map(([kind, some]) => `| ${kind} | ${countOf(some)} |`),
    `| all | ${countOf(tables)} |`,
    '',
    '| switch | wall | attacks that succeed without it |',
    '| --- | --- | --- |',
    ...[...defences].map(([name, words]) => `| \`${name}\` | ${cell(words)} | ${without(name)} |`),
    ...[...kinds].flatMap(([kind, some]) => [
      '',
      `## ${kind.slice(0, 1).toUpperCase()}${kind.slice(1)}`,
      '',
      '| attack | defence | expected | file |',
      '| --- | --- | --- | --- |',
      ...some.flatMap(({ file, attacks }) => attacks.map((one) => rowOf(one, file))),
    ]),
  ].join('\n')}\n`
}

export function attackProblems(
  tables: readonly AttackTable[],
  defences: ReadonlyMap<string, string>,
  sourceOf: (file: string) => string | undefined,
): string[] {
  const problems: string[] = []
  const met = new Set(tables.flatMap(({ attacks }) => attacks.map(({ without }) => without)))
  for (const name of [...defences.keys()].filter((one) => ![...met].some((other) => other === one)))
    problems.push(`No attack succeeds without '${name}': give it a row that does, or take the switch out.`)
  for (const { file, attacks } of tables) {
    const source = sourceOf(file)
    if (source === undefined) {
      problems.push(`${file} is not there, and makes attacks.`)
      continue
    }
    for (const { test, without } of attacks) {
      if (test === undefined) continue
      if (!source.includes(test)) problems.push(`${file} has no test '${test}'.`)
      if (without !== undefined && !source.includes(without))
        problems.push(`${file} does not take down '${without}', and '${test}' is to succeed without it.`)
    }
  }
  return problems
}

if (import.meta.main) {
  const defences = defencesIn(readFileSync('kernel/src/defences.ts', 'utf8'))
  const problems = attackProblems(attackTables, defences, (file) =>
    existsSync(file) ? readFileSync(file, 'utf8') : undefined,
  )
  const wanted = attackPage(attackTables, defences)
  const isWriting = process.argv.includes('--write')
  if (isWriting) writeFileSync(page, wanted)
  else if (!existsSync(page) || readFileSync(page, 'utf8') !== wanted)
    problems.push(`${page} differs from the tables. Run \`node scripts/list-attacks.ts --write\`.`)
  const counts = [...byKind(attackTables)].map(([kind, some]) => `${kind} ${countOf(some)}`)
  conclude(problems, `attacks: ${countOf(attackTables)} (${counts.join(', ')})`)
}
