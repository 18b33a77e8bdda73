import { definePlugin, entity, t as field, type Manifest, manifestOf } from '@plinth/sdk'
import t from 'tap'
import { createAbilities } from './abilities.ts'
import { grantsOf } from './grants.ts'

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

const tenant = { id: 'one' }
const ada = { tenant, grants: grantsOf('member', 'ada') }

t.test('another package of the same name and version has its own roles', async (t) => {
  const abilityOf = createAbilities()
  const first = plugin(['visit.read'])
  const second = plugin([])
  t.equal(abilityOf(ada, first).can('read', 'visit'), true)
  t.equal(abilityOf(ada, second).can('read', 'visit'), false)
  t.equal(abilityOf(ada, first), abilityOf(ada, first), 'one is kept for each of them')
  t.equal(abilityOf({ tenant, grants: grantsOf('owner', 'ada') }, second).can('read', 'visit'), true)
})

t.test('what a person was given anew is not decided by what he had', async (t) => {
  const abilityOf = createAbilities()
  const visits = plugin(['visit.read'])
  t.equal(abilityOf(ada, visits).can('update', 'visit'), false)
  t.equal(abilityOf({ tenant, grants: grantsOf('admin', 'ada') }, visits).can('update', 'visit'), true)
  t.equal(abilityOf({ ...ada, scopes: ['visits.visit.update'] }, visits).can('read', 'visit'), false)
})
