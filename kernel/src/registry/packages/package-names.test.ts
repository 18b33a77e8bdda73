// Which names a package may have, and which it may not because others have them.
import { readdirSync, readFileSync } from 'node:fs'
import { KERNEL_AREAS } from '@plinth/sdk'
import t from 'tap'
import { checkNames, confusableWith, isAllowed, isPackageName } from './package-names.ts'

t.test('a package has a name that npm would take today', async (t) => {
  for (const name of ['notes', '@acme/notes', '@acme/notes.v2', 'a', '@a/b-c_d~e', '3d'])
    t.ok(isPackageName(name), name)
  for (const name of [
    '',
    '.',
    '..',
    '@acme',
    '@acme/',
    '@/x',
    '@acme/.x',
    '_x',
    'Notes',
    'a b',
    'a/b',
    '@a/b/c',
    'a%2fb',
    'é',
    'a\n',
    `a${'a'.repeat(214)}`,
  ])
    t.notOk(isPackageName(name), JSON.stringify(name))
})

t.test('an operator allows packages and whole scopes', async (t) => {
  t.ok(isAllowed('@acme/notes', undefined))
  t.ok(isAllowed('@acme/notes', ['@acme/*']))
  t.ok(isAllowed('@acme/notes', ['@acme/notes']))
  t.ok(isAllowed('notes', ['*']))
  for (const allow of [[], ['@acme'], ['@acme/note'], ['@acm*'], ['*/notes'], ['@*/notes']])
    t.notOk(isAllowed('@acme/notes', allow), JSON.stringify(allow))
  t.notOk(isAllowed('@acmecorp/notes', ['@acme/*']))
})

t.test('a name that can be taken for another is found', async (t) => {
  const installed = ['@plinth/finance', '@acme/notes']
  for (const name of [
    '@p1inth/finance',
    '@plinth/fin-ance',
    'plinth-finance',
    '@pl1nth/f1nance',
    '@acme/n0tes',
    '@acrne/notes',
  ])
    t.ok(confusableWith(name, installed), name)
  for (const name of ['@plinth/finance', '@plinth/hrms', '@other/notes', '@acme/noted'])
    t.equal(confusableWith(name, installed), undefined, name)
})

t.test('a module belongs to the package that had it first', async (t) => {
  const owners = new Map([['finance', '@plinth/finance']])
  t.equal(checkNames({ module: 'finance', package: '@plinth/finance', owners }), undefined)
  t.equal(checkNames({ module: 'notes', package: '@acme/notes', owners }), undefined)
  t.match(
    checkNames({ module: 'finance', package: '@acme/finance', owners }),
    /that of the package '@plinth\/finance'/,
  )
  t.match(checkNames({ module: 'operator', package: '@acme/operator', owners }), /kernel uses the name/)
  t.match(
    checkNames({ module: 'money', package: '@acme/money', owners, reserved: ['money'] }),
    /kernel uses the name/,
  )
  const lookalike = { module: 'fin2', package: '@p1inth/finance', owners }
  t.match(checkNames(lookalike), /can be taken for that of '@plinth\/finance'/)
  t.match(checkNames({ ...lookalike, allow: ['*', '@p1inth/*'] }), /can be taken/, 'a pattern is no consent')
  t.equal(checkNames({ ...lookalike, allow: ['@p1inth/finance'] }), undefined, 'its whole name is')
})

t.test('every area of the kernel that has a path is reserved', async (t) => {
  const folder = new URL('../../http/', import.meta.url)
  const routes = readdirSync(folder).filter((file) => file.endsWith('-routes.ts'))
  const text = routes.map((file) => readFileSync(new URL(file, folder), 'utf8')).join('')
  const areas = new Set([...text.matchAll(/url: '\/(?:v1\/)?([a-z]+)/g)].map(([, area]) => area ?? ''))
  t.ok(areas.size >= 5)
  for (const area of areas) t.ok(KERNEL_AREAS.includes(area), area)
})
