import t from 'tap'
import { attackPage, attackProblems, defencesIn } from './list-attacks.ts'

const source = `
  /** It stands. */
  | 'wall'
  /** So does it. */
  | 'moat'
`
const row = { attack: 'a | b\n<script>', defence: 'wall', expected: 'NO', without: 'governor' } as const
const table = { kind: 'some', file: 'tests/isolation/some.test.ts', attacks: [row] }

t.test('the walls are read with what is said of them', async (t) => {
  t.same(
    [...defencesIn(source)],
    [
      ['wall', 'It stands.'],
      ['moat', 'So does it.'],
    ],
  )
})

t.test('a wall without which no attack succeeds is a problem', async (t) => {
  const problems = attackProblems(
    [table],
    new Map([
      ['governor', ''],
      ['moat', ''],
    ]),
    () => '',
  )
  t.match(problems, [/^No attack succeeds without 'moat'/])
})

t.test('a test that is not there any more is a problem, and so is one that takes no wall down', async (t) => {
  const named = { ...table, attacks: [{ ...row, test: 'holds' }] }
  t.match(
    attackProblems([named], new Map(), () => 'nothing'),
    [/no test 'holds'/, /does not take down 'governor'/],
  )
  t.same(
    attackProblems([named], new Map(), () => "test('holds') governor"),
    [],
  )
  t.match(
    attackProblems([named], new Map(), () => undefined),
    [/is not there/],
  )
})

t.test('a row cannot break its table', async (t) => {
  const page = attackPage([table], defencesIn(source))
  t.match(page, '| a \\| b\\u000a&lt;script> | wall * | NO | some.test.ts |')
  t.match(page, '| all | 1 |')
})
