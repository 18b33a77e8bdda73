import t from 'tap'
import { PlinthError } from '../kernel/src/errors.ts'
import { compareErrors, errorsPage } from './check-errors.ts'

const gone = ({ what, list }: { what: string; list: readonly string[] }) =>
  new PlinthError('THING_GONE', 404, 'info', `No '${what}' | one of ${list.join(', ') || 'none'}.`, {})
const full = () => new PlinthError('STORE_FULL', 409, 'warn', 'The store is full.', {})
const definitions = { gone, full }

t.test('the page that the code writes agrees with it and shows the slots of each message', async (t) => {
  const page = errorsPage(definitions)
  t.same(compareErrors(definitions, page), [])
  t.match(page, "| `THING_GONE` | 404 | No '{what}' \\| one of {list}. |")
})

t.test('a code that is not documented is named', async (t) => {
  t.same(compareErrors(definitions, errorsPage({ gone })), ['docs/errors.md does not have STORE_FULL.'])
})

t.test('a documented code that is gone is named', async (t) => {
  t.same(compareErrors({ gone }, errorsPage(definitions)), [
    'docs/errors.md has STORE_FULL, which kernel/src/errors.ts does not.',
  ])
})

t.test('a changed status or message is named', async (t) => {
  const page = errorsPage(definitions).replace('The store is full', 'There is room')
  t.same(compareErrors(definitions, page), [
    'docs/errors.md says something else about STORE_FULL than the code does.',
  ])
})

t.test('one code declared twice is refused', async (t) => {
  const twice = { full, again: full }
  t.same(compareErrors(twice, errorsPage(twice)), ['kernel/src/errors.ts has one code twice.'])
})
