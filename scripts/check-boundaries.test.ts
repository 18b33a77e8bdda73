import t from 'tap'
import { checkBoundaries } from './check-boundaries.ts'
import { fileTree } from './file-tree.fixture.ts'

type Ending = Parameters<typeof fileTree>[0]
type Files = Readonly<Record<string, string>>
const problemsOf = (t: Ending, files: Files) => checkBoundaries(fileTree(t, files)).problems

t.test('imports that follow the order pass', async (t) => {
  const { problems, imports } = checkBoundaries(
    fileTree(t, {
      'kernel/src/http/a.ts': "import '../tenants/a.ts'\nimport '../data/a.ts'\nimport '../errors.ts'",
      'kernel/src/data/a.ts': "import { b } from './b.ts'\nimport type { Config } from '../config.ts'",
      'kernel/src/data/types.ts': "import type { A } from '../http/a.ts'",
      'kernel/src/kernel.ts': "import './http/a.ts'\nimport '@plinth/sdk'",
      'kernel/src/host/a.ts': "import '../protocol/a.ts'",
      'kernel/src/guest/a.ts': "import '@plinth/sdk'",
      'plugins/one/src/a.ts': "import '@plinth/sdk'\nimport './b.ts'\nimport type { Two } from '@plinth/two'",
      'kernel/src/data/a.test.ts': "import '../http/a.ts'\nimport '../../../tests/support/database.ts'",
      'tests/a.test.ts': "import '../kernel/src/main.ts'",
      'scripts/a.ts': "import '../kernel/src/errors.ts'\nimport '../tests/support/cluster.ts'",
    }),
  )
  t.same(problems, [])
  t.equal(imports, 18)
})

const refused: Readonly<Record<string, readonly [path: string, source: string, reason: string]>> = {
  'an import up the order is refused': [
    'kernel/src/data/a.ts',
    "import '../http/a.ts'",
    'kernel/src/data/a.ts:1 imports ../http/a.ts: http comes before data, and imports run one way',
  ],
  'a kernel folder without a place in the order is refused': [
    'kernel/src/http/a.ts',
    "import '../billing/a.ts'",
    "the folder 'billing' has no place",
  ],
  'a folder cannot reach the composition root': [
    'kernel/src/http/a.ts',
    "import '../kernel.ts'",
    'only errors.ts, stages.ts, config.ts',
  ],
  'configuration is passed in': [
    'kernel/src/http/a.ts',
    "import { loadConfig } from '../config.ts'",
    'configuration is passed in',
  ],
  'what every folder sees takes only types from the folders': [
    'kernel/src/errors.ts',
    "import '../src/data/a.ts'",
    'errors.ts takes only types',
  ],
  'the host sees the protocol alone': [
    'kernel/src/host/a.ts',
    "import type { A } from '../data/a.ts'",
    'host sees protocol alone',
  ],
  'the host does not see the SDK': [
    'kernel/src/host/a.ts',
    "import '@plinth/sdk'",
    'host sees protocol alone',
  ],
  'the guest sees protocol and SDK alone': [
    'kernel/src/guest/a.ts',
    "import '../errors.ts'",
    'guest sees protocol and @plinth/sdk alone',
  ],
  'the host is never imported': [
    'kernel/src/sandbox/a.ts',
    "import '../host/main.ts'",
    'host runs in another process',
  ],
  'another package is not reached by a path': [
    'kernel/src/http/a.ts',
    "import '../../../sdk/src/index.ts'",
    'another package is imported by its name',
  ],
  'a plugin does not reach another by a path': [
    'plugins/one/src/a.ts',
    "import '../../two/src/a.ts'",
    'another package is imported by its name',
  ],
  'a plugin has no Node': ['plugins/one/src/a.ts', "import 'node:fs'", 'a plugin sees @plinth/sdk'],
  'a plugin runs no code of another': [
    'plugins/one/src/a.ts',
    "import { two } from '@plinth/two'",
    'a plugin sees @plinth/sdk',
  ],
  'the SDK depends on nothing': ['sdk/src/a.ts', "import 'node:fs'", 'the SDK has no dependencies'],
  'the kernel knows no plugin': [
    'kernel/src/http/a.ts',
    "import '@plinth/finance'",
    'kernel may not see @plinth/finance',
  ],
  'an example has no inside knowledge': [
    'examples/a.ts',
    "import '../kernel/src/errors.ts'",
    'another package is imported by its name',
  ],
  'product code imports nothing made for tests': [
    'kernel/src/data/a.ts',
    "import './b.fixture.ts'",
    'only tests import what is made for tests',
  ],
  'a module keeps no variable': [
    'kernel/src/data/a.ts',
    'const a = 1\nlet b = 2',
    'a.ts:2: a module keeps no state',
  ],
  'a module keeps no collection to fill': [
    'kernel/src/data/a.ts',
    'const seen = new Map<string, number>()',
    'a module keeps no state',
  ],
  'the environment is read in config.ts only': [
    'kernel/src/main.ts',
    'if (process.env.PORT) f()',
    'only kernel/src/config.ts reads the environment',
  ],
}

for (const [name, [path, source, reason]] of Object.entries(refused)) {
  t.test(name, async (t) => {
    const problems = problemsOf(t, { [path]: source })
    t.equal(problems.length, 1)
    t.match(problems[0], reason)
  })
}

t.test('what only looks like state or environment passes', async (t) => {
  const source = `// let x; process.env
const names = new Set(['a'])
function f() {
  let inner = new Map()
  return 'process.env'
}`
  t.same(problemsOf(t, { 'kernel/src/data/a.ts': source, 'kernel/src/config.ts': 'f(process.env)' }), [])
  t.same(problemsOf(t, { 'kernel/src/host/main.ts': 'let isolates = new Map()' }), [])
})

t.test('this repository keeps its boundaries', async (t) => {
  t.same(checkBoundaries(process.cwd()).problems, [])
})
