// From a package to a trial balance: the whole way, over a real socket, with books that nobody here wrote.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { loadJournal } from '../../examples/load-journal/load-journal.ts'
import { createKernel } from '../../kernel/src/kernel.ts'
import { testDatabase } from '../support/database.ts'
import { testConfig, testLog } from '../support/kernel.ts'

const cases = join(import.meta.dirname, 'journals')

t.test('every set of books gives the trial balance that an independent program computed', async (t) => {
  const database = await testDatabase(t)
  const kernel = await createKernel(testConfig(database.adminUrl), testLog)
  t.teardown(() => kernel.close())
  const { url } = await kernel.listen()
  for (const name of readdirSync(cases)) {
    t.same(await loadJournal(url, join(cases, name)), [], name)
  }
})
