import t from 'tap'
import { fileTree } from './file-tree.fixture.ts'

// Plain JavaScript without types: it runs before anything is installed.
const script: { whyInstall: (root: string) => string | undefined } = await import(
  new URL('install-dependencies.mjs', import.meta.url).href
)

const list = (packages: object) => JSON.stringify({ packages })
const one = { version: '1.0.0', integrity: 'sha512-a' }

const reason = (t: Parameters<typeof fileTree>[0], wanted: object, installed?: object) =>
  script.whyInstall(
    fileTree(t, {
      'package-lock.json': list({ '': { name: 'root' }, ...wanted }),
      ...(installed ? { 'node_modules/.package-lock.json': list(installed) } : {}),
    }),
  )

t.test('nothing is done when what is installed is what the lock file says', async (t) => {
  t.equal(reason(t, { 'node_modules/a': one }, { 'node_modules/a': one }), undefined)
})

t.test('an optional package for another platform may be absent', async (t) => {
  t.equal(
    reason(
      t,
      { 'node_modules/a': one, 'node_modules/b': { ...one, optional: true } },
      { 'node_modules/a': one },
    ),
    undefined,
  )
})

t.test('an installation is due when nothing, something else or too little is installed', async (t) => {
  t.equal(reason(t, { 'node_modules/a': one }), 'nothing is installed yet')
  t.equal(reason(t, { 'node_modules/a': one }, {}), 'node_modules/a is not installed')
  for (const other of [{ version: '1.0.1' }, { integrity: 'sha512-b' }]) {
    t.match(
      reason(t, { 'node_modules/a': one }, { 'node_modules/a': { ...one, ...other } }),
      'is another version',
    )
  }
})
