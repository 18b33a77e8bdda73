import t from 'tap'
import { migrationName } from './migration-name.ts'

t.test('the name of a migration is one that the kernel reads again', async (t) => {
  for (const name of [undefined, 'add-minutes', '2-fields', 'x'.repeat(60)])
    t.equal(migrationName(name), name)
  for (const [name, hint] of [
    ['Add Minutes', 'Try --name add-minutes.'],
    ['add_minutes', 'Try --name add-minutes.'],
    ['../../elsewhere', 'Try --name elsewhere.'],
    ['x'.repeat(61), `Try --name ${'x'.repeat(60)}.`],
    ['', '60 at most.'],
    ['é', '60 at most.'],
  ] as const) {
    t.throws(() => migrationName(name), { message: hint }, name)
  }
})
