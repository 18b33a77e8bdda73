// Manifests for tests: everything empty but what the test is about.
import type { EntitySpec, FieldSpecs, Manifest } from '@plinth/sdk'

export const entityOf = (fields: FieldSpecs, rest: Partial<EntitySpec> = {}): EntitySpec => ({
  title: 'Thing',
  path: 'things',
  fields,
  indexes: [],
  immutableIn: [],
  ...rest,
})

export const manifestOf = (name: string, entities: Readonly<Record<string, EntitySpec>>): Manifest => ({
  manifestVersion: 1,
  name,
  title: name,
  uses: {},
  needs: {},
  settings: {},
  entities,
  events: {},
  actions: {},
  routes: {},
  services: {},
  hooks: {},
  errors: {},
  on: {},
  jobs: {},
  roles: {},
})

/** Accounts, and journal entries with lines that refer to them. */
export const ledger: Manifest = manifestOf('ledger', {
  account: entityOf({
    code: { kind: 'text', max: 20, unique: true },
    name: { kind: 'text', max: 100 },
    parent: { kind: 'ref', entity: 'account', optional: true },
  }),
  journalEntry: entityOf(
    {
      number: { kind: 'sequence', pattern: 'JE-{year}-{00000}', at: 'posted', dateField: 'date' },
      date: { kind: 'date' },
      lines: {
        kind: 'lines',
        fields: {
          account: { kind: 'ref', entity: 'account' },
          debit: { kind: 'money', optional: true },
          credit: { kind: 'money', optional: true },
        },
      },
      status: { kind: 'state', transitions: { draft: ['posted'], posted: [] }, initial: 'draft' },
    },
    { path: 'journal-entries', indexes: [['date']], immutableIn: ['posted'] },
  ),
})
