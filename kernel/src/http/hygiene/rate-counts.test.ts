import pg from 'pg'
import t from 'tap'
import { testDatabase } from '../../../../tests/support/database.ts'
import { testLog } from '../../../../tests/support/kernel.ts'
import { countInMemory, countTogether } from './rate-counts.ts'

t.test('each name is counted by itself', async (t) => {
  const { add } = countInMemory()
  t.same([add('a'), add('a'), add('b')], [1, 2, 1])
})

t.test('two processes that count together know each other within a look', async (t) => {
  const database = await testDatabase(t)
  const pool = new pg.Pool(database.access.kernel)
  t.teardown(() => pool.end())
  const [one, other] = [countTogether(pool, testLog), countTogether(pool, testLog)]
  t.teardown(async () => void (await Promise.all([one.close(), other.close()])))
  // A minute may end meanwhile: then both begin anew, and the next try is in one.
  const both = async (name: string) => {
    for (let n = 0; n < 10; n += 1) one.add(name)
    for (let n = 0; n < 5; n += 1) other.add(name)
    await one.shareNow()
    await other.shareNow()
    return [other.add(name), one.add(name)]
  }
  const counted = await both('x')
  t.same(counted[0] === 16 ? counted : await both('y'), [16, 11], 'the second heard of the first')
})
