import tap from 'tap'
import { type AnyField, definePlugin, entity, manifestOf, t, use } from './index.ts'

const note = entity('Note', {
  number: t.sequence('N-{year}-{000}', { at: 'done', date: 'day' }),
  text: t.text().range(1, 200).unique(),
  day: t.date(),
  amount: t.money().optional(),
  parent: t.ref('note').optional(),
  kind: t.choice(['a', 'b']).default('a'),
  parts: t.lines({ what: t.text(), count: t.decimal().optional() }),
  status: t.state({ open: ['done'], done: [] }),
})

const plugin = definePlugin({
  name: 'notes',
  title: 'Notes',
  uses: { oms: use('^1'), crm: use('^2', { optional: true }) },
  needs: { sql: 'read', http: ['api.example.com'] },
  settings: { days: t.int().range(0, 9).default(3), from: t.date().optional() },
  entities: {
    journalNote: note,
    note: entity('Note', { name: t.text() }, { path: 'slips', indexes: [['name']] }),
  },
  events: { 'note.done': { note: t.ref('note') } },
  errors: { NOTE_EMPTY: { status: 422, message: 'The note {number} is empty.' } },
  actions: {
    journalNote: { finish: { to: 'done' }, copyAll: { title: 'Copy', input: { n: t.int() }, run: () => {} } },
  },
  routes: { report: { method: 'GET', path: '/reports/notes', query: { q: t.text() }, run: () => [] } },
  services: { write: { input: { to: t.object({ name: t.text() }) }, run: () => null } },
  hooks: { journalNote: { validate() {} } },
  on: { async 'oms.order.shipped'() {}, 'crm.account.merged': { whileDisabled: 'skip', run: () => null } },
  jobs: {
    tidy: { schedule: '0 6 * * *', run: () => null },
    sendAll: {
      title: 'Send',
      input: { n: t.int() },
      attempts: 2,
      rate: { max: 3, perSeconds: 60 },
      run: () => null,
    },
  },
  roles: {
    member: { can: ['note.read', { permission: 'journalNote.update', own: true }, 'journalNote.copyAll'] },
  },
})

tap.test('the manifest is the plugin minus its functions', async (tap) => {
  const manifest = manifestOf(plugin)
  tap.same(manifest.entities['journalNote'], {
    title: 'Note',
    path: 'journal-notes',
    fields: {
      number: { kind: 'sequence', pattern: 'N-{year}-{000}', at: 'done', dateField: 'day' },
      text: { kind: 'text', max: 200, min: 1, unique: true },
      day: { kind: 'date' },
      amount: { kind: 'money', optional: true },
      parent: { kind: 'ref', entity: 'note', optional: true },
      kind: { kind: 'choice', values: ['a', 'b'], default: 'a' },
      parts: {
        kind: 'lines',
        fields: { what: { kind: 'text', max: 4000 }, count: { kind: 'decimal', optional: true } },
      },
      status: { kind: 'state', transitions: { open: ['done'], done: [] }, initial: 'open' },
    },
    indexes: [],
    immutableIn: [],
  })
  tap.equal(manifest.entities['note']?.path, 'slips')
  tap.same(manifest.uses, { oms: { range: '^1', optional: false }, crm: { range: '^2', optional: true } })
  tap.same(manifest.actions, {
    journalNote: {
      finish: { title: 'Finish', to: 'done', input: {}, run: false },
      copyAll: { title: 'Copy', input: { n: { kind: 'int' } }, run: true },
    },
  })
  tap.same(manifest.routes['report'], {
    title: 'Report',
    method: 'GET',
    path: '/reports/notes',
    query: { q: { kind: 'text', max: 4000 } },
    input: {},
  })
  tap.same(manifest.hooks, { journalNote: ['validate'] })
  tap.same(manifest.jobs, {
    tidy: { title: 'Tidy', input: {}, schedule: '0 6 * * *', attempts: 5 },
    sendAll: {
      title: 'Send',
      input: { n: { kind: 'int' } },
      attempts: 2,
      rate: { max: 3, perSeconds: 60 },
    },
  })
  tap.same(manifest.on, {
    'oms.order.shipped': { whileDisabled: 'deliver' },
    'crm.account.merged': { whileDisabled: 'skip' },
  })
  tap.same(JSON.parse(JSON.stringify(manifest)), manifest, 'and it is plain JSON')
})

tap.test('the manifest does not depend on the order in which an author chains calls', async (tap) => {
  const of = (days: AnyField) =>
    JSON.stringify(manifestOf(definePlugin({ name: 'notes', title: 'Notes', settings: { days } })))
  tap.equal(of(t.int().range(0, 9).default(3).optional()), of(t.int().optional().default(3).range(0, 9)))
})

type Spec = Parameters<typeof definePlugin>[0]
const impossible = (spec: Partial<Spec>) => () =>
  manifestOf({ name: 'notes', spec: { name: 'notes', title: 'Notes', ...spec } })

tap.test('a declaration that could never work is refused with a sentence that names it', async (tap) => {
  const state = t.state({ open: ['done'], done: [] })
  const run = () => null
  const refused: [Partial<Spec>, RegExp][] = [
    [{ name: 'Notes' }, /small letters and digits/],
    [{ name: 'tenant' }, /The kernel uses the name 'tenant'/],
    [{ title: ' ' }, /no title/],
    [{ entities: { Note: entity('N', {}) } }, /entity 'Note' has a bad name/],
    [{ entities: { constructor: entity('N', {}) } }, /entity 'constructor' has a bad name/],
    [{ entities: { numberSeries: entity('N', {}) } }, /entity 'numberSeries' has a bad name/],
    [{ entities: { route: entity('N', {}) } }, /entity 'route' has a bad name/],
    [{ entities: { note: entity('N', { 'a-b': t.int() }) } }, /Field 'a-b' of entity 'note' has a bad name/],
    [
      { entities: { note: entity('N', { version: t.int() }) } },
      /'version' of entity 'note' has a name that the kernel/,
    ],
    ...['ctid', 'cmin', 'cmax', 'tableoid', 'xmin', 'xmax'].map((name): [Partial<Spec>, RegExp] => [
      { entities: { note: entity('N', { [name]: t.int() }) } },
      new RegExp(`'${name}' of entity 'note' has the name of a column that PostgreSQL keeps itself`),
    ]),
    [
      { entities: { note: entity('N', { parts: t.lines({ xmin: t.int() }) }) } },
      /'xmin' of lines 'parts' has the name of a column/,
    ],
    [{ entities: { note: entity('N', { a: t.ref('not') }) } }, /entity 'not' .* Did you mean 'note'\?/],
    [{ events: { done: { a: t.ref('note') } } }, /Field 'a' of event 'done' refers to an entity 'note'/],
    [
      { entities: { a: entity('A', {}, { path: 'x' }), b: entity('B', {}, { path: 'x' }) } },
      /'a' and 'b' have the same path 'x'/,
    ],
    [{ entities: { a: entity('A', {}, { path: 'X/y' }) } }, /path 'X\/y' of entity 'a'/],
    [
      { entities: { a: { ...entity('A', { state }), immutableIn: ['don'] } } },
      /unknown state 'don'. Did you mean 'done'/,
    ],
    [
      { entities: { a: { ...entity('A', { n: t.int() }), indexes: [['m']] } } },
      /index on an unknown field 'm'/,
    ],
    [{ entities: { a: entity('A', { l: t.lines({}) }, { indexes: [['l']] }) } }, /index on its lines 'l'/],
    [{ entities: { a: entity('A', { l: t.lines({}) }), aL: entity('B', {}) } }, /share a table/],
    [{ entities: { a: entity('A', { state, other: state }) } }, /2 state fields: state, other/],
    [
      { entities: { a: entity('A', { debit: t.money(), debitAmount: t.text() }) } },
      /share a column 'debit_amount'/,
    ],
    [
      { entities: { a: entity('A', { o: t.object({}) }) } },
      /'o' of entity 'a' cannot be of the type 'object'/,
    ],
    [
      { entities: { a: entity('A', { l: t.lines({ m: t.lines({}) }) }) } },
      /'m' of lines 'l' cannot be of the type 'lines'/,
    ],
    [
      { entities: { a: entity('A', { l: t.lines({ u: t.int().unique() }) }) } },
      /'u' of lines 'l' cannot be unique/,
    ],
    [{ entities: { a: entity('A', { n: t.sequence('N') }) } }, /it needs one counter/],
    [
      { entities: { a: entity('A', { n: t.sequence('{00}', { at: 'don' }), state }) } },
      /at an unknown state 'don'/,
    ],
    [
      { entities: { a: entity('A', { n: t.sequence('{00}', { at: 'done', date: 'x' }), state }) } },
      /'x', which is not a date/,
    ],
    [{ settings: { n: t.int().range(5, 1) } }, /a range that nothing fits: from 5 to 1/],
    [{ settings: { n: t.int().range(0, 5).default(9) } }, /a default that it would refuse itself: 9/],
    [{ settings: { s: state } }, /'s' of the settings cannot be of the type 'state'/],
    [
      { entities: { a: entity('A', { state }) }, actions: { b: {} } },
      /actions on an unknown entity 'b'. Did you mean 'a'/,
    ],
    [
      { entities: { a: entity('A', { state }) }, actions: { a: { x: { to: 'dune' as never } } } },
      /unknown state 'dune'. Did you mean 'done'/,
    ],
    [
      { entities: { a: entity('A', { state }) }, actions: { a: { update: { run: () => {} } } } },
      /permission that every entity has/,
    ],
    [{ entities: { a: entity('A', { state }) }, actions: { a: { idle: {} } } }, /'a.idle' does nothing/],
    [
      { routes: { a: { method: 'GET', path: '/x', run }, b: { method: 'GET', path: '/x', run } } },
      /Routes 'a' and 'b' are both GET \/x/,
    ],
    [{ routes: { a: { method: 'GET', path: '/x/:id', run } } }, /must be like/],
    [
      { routes: { a: { method: 'GET', path: '/x', input: { n: t.int() }, run } } },
      /takes 'query', not 'input'/,
    ],
    [
      { routes: { a: { method: 'POST', path: '/x', query: { n: t.int() }, run } } },
      /takes 'input', not 'query'/,
    ],
    [
      { entities: { note: entity('N', {}) }, routes: { a: { method: 'GET', path: '/notes/all', run } } },
      /lies under that of entity 'note'/,
    ],
    [{ hooks: { note: {} } }, /hook on an unknown entity 'note'/],
    [{ errors: { lower: { status: 422, message: 'x' } } }, /error 'lower' must be in capitals/],
    [{ errors: { A: { status: 500 as 422, message: 'x' } } }, /has the status 500/],
    [{ on: { 'oms.done': async () => {} } }, /'oms.done' of a plugin that is not among its 'uses'/],
    [
      { uses: { oms: use('^1') }, on: { 'omss.done': async () => {} } },
      /'omss.done' of a plugin .* Did you mean 'oms'/,
    ],
    [{ uses: { oms: use('^1') }, on: { oms: async () => {} } }, /acts on 'oms', which names no event/],
    [
      { uses: { oms: use('^1') }, on: { 'oms.done': { whileDisabled: 'skp' as 'skip', run } } },
      /whileDisabled 'skp', which is none. Did you mean 'skip'/,
    ],
    [{ jobs: { a: { schedule: 'daily', run } } }, /job 'a' has the schedule 'daily': it needs five fields/],
    [{ jobs: { a: { schedule: '0 6 * * mno', run } } }, /day of the week 'mno' is none.* Did you mean 'mon'/],
    [{ jobs: { 'a-b': { run } } }, /The job 'a-b' has a bad name/],
    [
      { jobs: { a: { input: { n: t.ref('nobody') }, run } } },
      /Field 'n' of job 'a' refers to an entity 'nobody'/,
    ],
    [
      { jobs: { a: { schedule: '0 6 * * *', input: { n: t.int() }, run } } },
      /job 'a' has a schedule, and nobody gives it its input 'n'/,
    ],
    [{ jobs: { a: { attempts: 0, run } } }, /job 'a' has 0 attempts/],
    [{ jobs: { a: { rate: { max: 0.5, perSeconds: 60 }, run } } }, /rate.max 0.5: use a whole number/],
    [{ jobs: { a: { rate: { max: 1, perSeconds: 0 }, run } } }, /rate.perSeconds 0/],
    [{ jobs: { a: { input: { n: 'int' as never }, run } } }, /'n' is no field: use t.text\(\)/],
    [{ roles: { member: { can: ['note.raed'] } } }, /role 'member' has an unknown permission 'note.raed'/],
  ]
  for (const [spec, sentence] of refused) tap.throws(impossible(spec), sentence, String(sentence))
  tap.throws(impossible({ name: 'X', title: '' }), /small letters.*no title/, 'all of them at once')
})
