// Attacks by a host that was taken over: the calls it makes for an invocation that is under way, past the guest; and
// answers of actions that no honest handler gives.
import type { Place } from '../support/break-in.ts'

type Call = readonly [name: string, input: unknown]

export interface CallAttack {
  readonly attack: string
  readonly defence: string
  /** Of what the last call was answered. */
  readonly expected: RegExp
  readonly calls: (place: Place) => readonly Call[]
  readonly without?: readonly ['serviceGrant' | 'entitlement' | 'callSchemas' | 'tenantCondition', RegExp]
}

export interface AnswerAttack {
  readonly attack: string
  readonly defence: string
  readonly expected: RegExp
  /** What the handler of an action returns. */
  readonly answer: (place: Place) => unknown
}

const denied = /CAPABILITY_DENIED/
const notFound = /RECORD_NOT_FOUND/
const notValid = /VALIDATION_FAILED|CAPABILITY_DENIED/

const row = (
  attack: string,
  defence: string,
  expected: RegExp,
  calls: CallAttack['calls'],
  without?: CallAttack['without'],
): CallAttack => ({ attack, defence, expected, calls, ...(without && { without }) })

const one =
  (name: string, input: unknown | ((place: Place) => unknown)): CallAttack['calls'] =>
  (place) => [[name, typeof input === 'function' ? input(place) : input]]

const entities = [
  'secret',
  'vault.secret',
  'plugin_vault.secret',
  'thing',
  '__proto__',
  'constructor',
  'note_lines',
  'note"; drop table x --',
]
const owned = 'a plugin has its own entities'
const shape = 'callSchemas'
const rls = 'tenantCondition'

export const callAttacks: readonly CallAttack[] = [
  ...entities.map((entity) => row(`the entity '${entity}'`, owned, denied, one('entities.list', { entity }))),
  row(
    'a record of another tenant',
    rls,
    notFound,
    one('entities.get', (p: Place) => ({ entity: 'note', id: p.theirNote })),
    [rls, /canary-7b1f/],
  ),
  row(
    'a lock on a record of another tenant',
    rls,
    notFound,
    one('entities.lock', (p: Place) => ({ entity: 'note', id: p.theirNote })),
    [rls, /canary-7b1f/],
  ),
  row(
    'a change of a record of another tenant',
    rls,
    notFound,
    one('entities.update', (p: Place) => ({ entity: 'note', id: p.theirNote, changes: { text: 'x' } })),
  ),
  row(
    'a record of another tenant deleted',
    rls,
    notFound,
    one('entities.delete', (p: Place) => ({ entity: 'note', id: p.theirNote })),
  ),
  row(
    'a list by an author of another tenant',
    rls,
    /"items":\[\]/,
    one('entities.list', (p: Place) => ({ entity: 'note', where: { createdBy: p.theirUser } })),
    [rls, /canary-7b1f/],
  ),
  row(
    'a reference to a record of another tenant',
    'foreign keys start with the tenant',
    /REFERENCE_NOT_FOUND/,
    (p) => [
      ['entities.create', { entity: 'note', values: { text: 'a', to: p.theirNote } }],
      ['entities.list', { entity: 'note' }],
    ],
  ),
  row(
    'a record for another tenant',
    shape,
    notValid,
    one('entities.create', (p: Place) => ({ entity: 'note', values: { text: 'a', tenant_id: p.victim.id } })),
  ),
  row(
    'a request for an approval by a plugin that asked for none',
    'needs.approvals in the manifest',
    denied,
    one('approvals.request', (p: Place) => ({ entity: 'note', record: p.theirNote, action: 'say' })),
  ),
  row(
    'a call that says whose it is',
    shape,
    denied,
    one('entities.list', (p: Place) => ({ entity: 'note', tenant: p.victim.id })),
    [shape, /"items":\[/],
  ),
  row(
    'a call that says who asks',
    shape,
    denied,
    one('entities.list', (p: Place) => ({ entity: 'note', actor: p.theirUser })),
    [shape, /"items":\[/],
  ),
  row(
    'another author',
    shape,
    notValid,
    one('entities.create', (p: Place) => ({ entity: 'note', values: { text: 'a', createdBy: p.theirUser } })),
  ),
  row(
    'an id of one’s choice',
    shape,
    notValid,
    one('entities.create', (p: Place) => ({ entity: 'note', values: { text: 'a', id: p.theirNote } })),
  ),
  row(
    'a number of one’s choice',
    shape,
    notValid,
    one('entities.create', { entity: 'note', values: { text: 'a', number: 'N-9999' } }),
  ),
  row(
    'a version of one’s choice',
    shape,
    notValid,
    one('entities.update', (p: Place) => ({ entity: 'note', id: p.ownNote, changes: { version: 9 } })),
  ),
  row(
    'a state that nothing leads to',
    'transitions are declared',
    /VALIDATION_FAILED|STATE|TRANSITION/,
    one('entities.create', { entity: 'note', values: { text: 'a', status: 'closed' } }),
  ),
  row(
    'a filter by the column of the tenant',
    shape,
    notValid,
    one('entities.list', (p: Place) => ({ entity: 'note', where: { tenant_id: p.victim.id } })),
  ),
  row(
    'a filter by __proto__',
    shape,
    notValid,
    one('entities.list', { entity: 'note', where: JSON.parse('{"__proto__":{"in":["x"]}}') }),
  ),
  row('a sort by SQL', shape, notValid, one('entities.list', { entity: 'note', sort: 'text; drop table x' })),
  row('a million records', shape, denied, one('entities.list', { entity: 'note', limit: 1e6 }), [
    shape,
    /"items"|VALIDATION|INTERNAL/,
  ]),
  row('fewer than no records', shape, denied, one('entities.list', { entity: 'note', limit: -1 })),
  row(
    'the cursor of another tenant',
    rls,
    /CURSOR_INVALID/,
    one('entities.list', (p: Place) => ({ entity: 'note', cursor: p.theirCursor })),
  ),
  row('an id that is an object', shape, denied, one('entities.get', { entity: 'note', id: { in: ['x'] } })),
  row('an id that is a list', shape, denied, one('entities.get', { entity: 'note', id: ['x'] })),
  row(
    'an id of 100,000 letters',
    shape,
    denied,
    one('entities.get', { entity: 'note', id: 'x'.repeat(1e5) }),
  ),
  ...[null, 'note', 7, true, []].map((input) =>
    row(`the input ${JSON.stringify(input)}`, shape, denied, one('entities.get', input)),
  ),
  ...['kernel.exit', '__proto__', 'constructor', 'toString', 'entities', 'log.write', 'sql.execute'].map(
    (name) => row(`a call '${name}'`, 'calls are in a table', denied, one(name, {})),
  ),
  row(
    'SQL without asking for it',
    'needs are in the manifest',
    denied,
    one('sql.read', { text: 'select 1', values: [] }),
  ),
  row(
    'a write in SQL without asking for it',
    'needs are in the manifest',
    denied,
    one('sql.write', { text: 'delete from note', values: [] }),
  ),
  row(
    'a fetch without asking for it',
    'needs are in the manifest',
    /FETCH_REFUSED/,
    one('http.fetch', { url: 'https://www.attacker.example/', request: {} }),
  ),
  row(
    'a service of a module that is not used',
    'serviceGrant',
    denied,
    one('services.call', { module: 'vault', service: 'reveal', input: {} }),
    ['serviceGrant', /"value":\["own"/],
  ),
  row(
    'a service of a module that the tenant has not switched on',
    'entitlement',
    /MODULE_NOT_ENABLED/,
    one('services.call', { module: 'quiet', service: 'list', input: { text: 'x' } }),
    ['entitlement', /"value":\[\]/],
  ),
  row(
    'a service of nobody',
    'serviceGrant',
    denied,
    one('services.call', { module: 'kernel', service: 'x', input: {} }),
  ),
  row(
    'a service of a property of every object',
    'serviceGrant',
    denied,
    one('services.call', { module: '__proto__', service: 'x', input: {} }),
  ),
  row(
    'a service of its own',
    'serviceGrant',
    denied,
    one('services.call', { module: 'burglar', service: 'run', input: {} }),
  ),
  row(
    'a service of a version that the tenant does not have',
    shape,
    denied,
    one('services.call', { module: 'quiet', service: 'list', input: {}, version: '2.0.0' }),
  ),
  row(
    'a service of a version, named with the module',
    'serviceGrant',
    denied,
    one('services.call', { module: 'quiet@2.0.0', service: 'list', input: {} }),
  ),
  row(
    'a service called as if from further out in the chain',
    shape,
    denied,
    one('services.call', { module: 'quiet', service: 'list', input: {}, serviceChain: [], depth: 0 }),
  ),
  row(
    'a service with a tenant',
    shape,
    denied,
    one('services.call', (p: Place) => ({
      module: 'quiet',
      service: 'list',
      input: {},
      tenant: p.bystander.id,
    })),
  ),
  row(
    'an event of another module',
    'events are declared',
    denied,
    one('events.emit', { event: 'vault.secret.opened', payload: { code: 'x' } }),
  ),
  row(
    'an event of another module, by its short name',
    'events are declared',
    denied,
    one('events.emit', { event: 'secret.opened', payload: { code: 'x' } }),
  ),
  row(
    'an event that is a property of every object',
    'events are declared',
    denied,
    one('events.emit', { event: 'constructor', payload: {} }),
  ),
  row(
    'an event with more than was declared',
    'events are declared',
    notValid,
    one('events.emit', (p: Place) => ({ event: 'note.told', payload: { text: 'a', tenant: p.victim.id } })),
  ),
  row(
    'an event without what was declared',
    'events are declared',
    notValid,
    one('events.emit', { event: 'note.told', payload: null }),
  ),
]

const action = 'what an action answers is parsed'
const wrong = /^{"status":(422|502|409),/

export const answerAttacks: readonly AnswerAttack[] = [
  {
    attack: 'created() of a record of another tenant',
    defence: rls,
    expected: /^{"status":502,.*PLUGIN_FAILED/,
    answer: (p) => ({ created: { id: p.theirNote } }),
  },
  {
    attack: 'created() of a record of another module',
    defence: owned,
    expected: /^{"status":502,.*PLUGIN_FAILED/,
    answer: (p) => ({ created: { id: p.own } }),
  },
  {
    attack: 'created() of nothing',
    defence: action,
    expected: wrong,
    answer: () => ({ created: { id: '__proto__' } }),
  },
  { attack: 'another version', defence: action, expected: wrong, answer: () => ({ version: 9 }) },
  { attack: 'another id', defence: action, expected: wrong, answer: (p) => ({ id: p.theirNote }) },
  { attack: 'another tenant', defence: action, expected: wrong, answer: (p) => ({ tenant_id: p.victim.id }) },
  { attack: 'another number', defence: action, expected: wrong, answer: () => ({ number: 'N-9999' }) },
  { attack: 'another author', defence: action, expected: wrong, answer: (p) => ({ createdBy: p.theirUser }) },
  { attack: 'a list', defence: action, expected: wrong, answer: () => [1] },
  { attack: 'a text', defence: action, expected: wrong, answer: () => 'text' },
  {
    attack: '__proto__',
    defence: action,
    expected: wrong,
    answer: () => JSON.parse('{"__proto__":{"text":"x"}}'),
  },
]
