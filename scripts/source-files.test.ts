import t from 'tap'
import { fileTree } from './file-tree.fixture.ts'
import { codeOnly, importsOf, sourceFiles } from './source-files.ts'

t.test('what is installed, built or generated is not our source', async (t) => {
  const files = [
    'a/b.ts',
    'c.mjs',
    'node_modules/x/y.ts',
    'a/node_modules/z.ts',
    'dist/d.ts',
    '.data/e.ts',
    'f.json',
  ]
  const root = fileTree(t, Object.fromEntries(files.map((path) => [path, ''])))
  t.same(sourceFiles(root), ['a/b.ts', 'c.mjs'])
})

t.test('every form of import is found, on its line', async (t) => {
  const source = `import a, { type B } from './a.ts'
import type { C } from "./c.ts"
import {
  d,
} from './d.ts'
export * from './e.ts'
export type { F } from './f.ts'
import './g.ts'
const h = await import('./h.ts')
// import i from './i.ts'
/* import j from './j.ts' */
const k = "import k from './k.ts'"`
  t.same(
    importsOf(source).map(({ from, typeOnly, line }) => [from, typeOnly, line]),
    [
      ['./a.ts', false, 1],
      ['./c.ts', true, 2],
      ['./d.ts', false, 3],
      ['./e.ts', false, 6],
      ['./f.ts', true, 7],
      ['./g.ts', false, 8],
      ['./h.ts', false, 9],
    ],
  )
})

t.test('comments and texts are not code, and a quote in a regular expression opens no text', async (t) => {
  const code = codeOnly(
    "a // process.env\nb = 'process.env'\nc = /['\"]/.test(x)\nprocess.env /* x\ny */ d = `e`",
  )
  t.notMatch(code.split('\n')[0], 'process')
  t.notMatch(code.split('\n')[1], 'process')
  t.match(code.split('\n')[3], 'process.env')
  t.equal(code.split('\n').length, 5)
})
