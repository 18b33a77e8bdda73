import t from 'tap'
import { checkSizes } from './check-sizes.ts'
import { fileTree } from './file-tree.fixture.ts'

const lines = (count: number) => 'x\n'.repeat(count)

t.test('a file over 400 lines is refused, one over 250 is listed', async (t) => {
  const { refused, listed, files } = checkSizes(
    fileTree(t, { 'a.ts': lines(401), 'b.ts': lines(400), 'c.ts': lines(251), 'd.ts': lines(250) }),
  )
  t.same(refused, ['a.ts has 401 lines; the most is 400. Give a part its own file.'])
  t.same(listed, ['b.ts has 400 lines.', 'c.ts has 251 lines.'])
  t.equal(files, 4)
})

t.test('file names are kebab-case', async (t) => {
  const root = fileTree(t, {
    'aB.ts': '',
    'a_b.ts': '',
    'a-b.ts': '',
    'a-b.test.ts': '',
    'a.properties.test.ts': '',
  })
  t.same(checkSizes(root).refused, [
    'aB.ts: file names are kebab-case.',
    'a_b.ts: file names are kebab-case.',
  ])
})

t.test('names that say nothing are refused, as files and as folders', async (t) => {
  for (const name of ['utils', 'util', 'helpers', 'helper', 'lib', 'common', 'manager', 'misc']) {
    t.match(checkSizes(fileTree(t, { [`src/${name}.ts`]: '' })).refused, [`'${name}' says nothing`], name)
    t.match(checkSizes(fileTree(t, { [`src/${name}/a.ts`]: '' })).refused, [`'${name}' says nothing`], name)
  }
  t.same(checkSizes(fileTree(t, { 'common-ground.ts': '' })).refused, [])
})
