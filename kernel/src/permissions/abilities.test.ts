import { definePlugin, entity, t as field, type Manifest, manifestOf } from '@plinth/sdk'
import t from 'tap'
import { createAbilities } from './abilities.ts'

const plugin = (can: readonly 'visit.read'[]): { manifest: Manifest } => ({
  manifest: manifestOf(
    definePlugin({
      name: 'visits',
      title: 'Visits',
      entities: { visit: entity('Visit', { who: field.text() }) },
      roles: { member: { can } },
    }),
  ),
})

const ada = { role: 'member', actor: { id: 'ada' } } as const

t.test('another package of the same name and version has its own roles', async (t) => {
  const abilityOf = createAbilities()
  const first = plugin(['visit.read'])
  const second = plugin([])
  t.equal(abilityOf(ada, first).can('read', 'visit'), true)
  t.equal(abilityOf(ada, second).can('read', 'visit'), false)
  t.equal(abilityOf(ada, first), abilityOf(ada, first), 'one is kept for each of them')
  t.equal(abilityOf({ ...ada, role: 'owner' }, second).can('read', 'visit'), true)
})
