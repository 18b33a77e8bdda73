// The two modules that the cases are about: `subject`, which has a route for each case, and `helper`, whose services it
// uses. Both are the same text whatever runtime they run in.
import type { Case } from './case.ts'

export const helper = `
import { definePlugin, entity, fail, t } from '@plinth/sdk'
const thing = entity('Thing', { text: t.text() }, { path: 'things' })
let calls = 0
export default definePlugin({
  name: 'helper', title: 'Helper', entities: { thing },
  needs: { sql: 'read' },
  errors: { HELPER_SHUT: { status: 409, message: 'The helper is shut for {text}.' } },
  hooks: { thing: { async validate(ctx, { text }) {
    ctx.log.debug('helper validates', { text })
    if (text === 'bad') fail('HELPER_SHUT', { text, field: 'text' })
    if (text === 'nest') await ctx.entities.thing.create({ text: 'nested in a hook' })
  } } },
  services: {
    make: { input: { text: t.text() }, async run(ctx, { text }) {
      const made = await ctx.entities.thing.create({ text })
      if (text === 'fail after') fail('HELPER_SHUT', { text })
      if (text === 'throw after') throw new Error('after it')
      return { id: made.id, text: made.text, may: ctx.user.can('thing.delete') }
    } },
    count: { run: () => ({ calls: (calls += 1) }) },
    nothing: { run: () => undefined },
    powers: { run: (ctx) => ({ powers: [typeof ctx.http, typeof ctx.secrets, typeof ctx.sql] }) },
    read: { run: async (ctx) => ({ rows: await ctx.sql\`select thing.text from thing order by thing.text\` }) },
    wipe: { run: async (ctx) => { await ctx.sql\`delete from thing\` } },
    list: { run: async (ctx) => ({ all: (await ctx.entities.thing.list({}, { sort: 'text' })).items.map((one) => one.text) }) },
  },
})`

const routeOf = ({ run }: Case, index: number): string =>
  run === undefined
    ? ''
    : `c${index}: { method: 'POST', path: '/c${index}', input: { text: t.text().optional(), n: t.int().optional() },
      run: async (ctx, input) => ({ answer: await (${run})(ctx, input) }) },`

export const subject = (cases: readonly Case[]): string => `
import { addDays, created, definePlugin, entity, fail, hash, hmac, t, use } from '@plinth/sdk'
const note = entity('Note', {
  text: t.text().range(1, 300),
  n: t.int().optional(),
  amount: t.decimal().optional(),
  price: t.money().optional(),
  on: t.date().optional(),
  done: t.bool().default(false),
  kind: t.choice(['a', 'b']).optional(),
  parent: t.ref('note').optional(),
  number: t.sequence('N-{0000}'),
  lines: t.lines({ what: t.text(), count: t.int() }).optional(),
  status: t.state({ open: ['closed', 'void'], closed: [], void: [] }),
}, { path: 'notes', immutableIn: ['void'] })
const tag = entity('Tag', { code: t.text().unique(), n: t.int().optional() }, { path: 'tags' })
const guarded = entity('Guarded', { text: t.text(), note: t.ref('note').optional() }, { path: 'guardeds' })

/** Variables of the module: one set of them for each tenant. */
let count = 0
const kept = new Map()
const after = (ms, value) => new Promise((done) => { setTimeout(done, ms, value) })
const ok = 'https://api.bank.example/ok'
const echo = 'https://api.bank.example/echo'
const absentId = '019a0000-0000-7000-8000-000000000000'
const five = async (ctx) => {
  const made = []
  for (const n of [3, 1, 5, 2, 4]) {
    made.push(await ctx.entities.note.create({
      text: 'note ' + n, n, amount: String(n) + '.5', on: addDays('2026-01-01', n), done: n > 3, kind: n % 2 ? 'a' : 'b',
    }))
  }
  return made
}

export default definePlugin({
  name: 'subject', title: 'Subject', entities: { note, guarded, tag },
  needs: {
    sql: 'write',
    approvals: true,
    http: ['api.bank.example', 'cdn.bank.example'],
    secrets: { bankKey: { title: 'Key of the bank', host: 'api.bank.example' } },
  },
  uses: { helper: use('^1'), absent: use('^1', { optional: true }) },
  settings: { days: t.int().range(1, 99).default(30), label: t.text().optional(), bag: t.choice(['x', 'y']).default('x') },
  events: { 'note.made': { note: t.ref('note'), text: t.text() } },
  jobs: {
    tidy: { run: (ctx) => ({ id: ctx.job.id }) },
    copy: { input: { text: t.text().range(1, 20), n: t.int().default(1) }, attempts: 2, run: async () => null },
  },
  errors: {
    CLOSED: { status: 409, message: 'It is closed for {text}.' },
    NOT_YET: { status: 422, message: 'Not before {on}.' },
  },
  hooks: { guarded: { async validate(ctx, { text }) {
    if (text === 'bad') fail('CLOSED', { text, field: 'text' })
    if (text === 'throw') throw new TypeError('in a hook')
    if (text === 'service') await ctx.uses.helper.make({ text: 'from a hook' })
    if (text === 'loop') await ctx.entities.guarded.create({ text })
    if (text === 'fetch') await ctx.http.fetch('https://api.bank.example/ok')
    if (text === 'write') await ctx.entities.note.create({ text: 'from a hook' })
  } } },
  actions: { note: {
    close: { to: 'closed' },
    discard: { to: 'void' },
    agree: { approval: { amount: 'price', rejected: 'discard' }, to: 'closed', input: { text: t.text() },
      run: (_ctx, { text: old }, { text }) => ({ text: old + '; ' + text }) },
    annotate: { input: { text: t.text() }, run: (_ctx, { text: old }, { text }) => ({ text: old + '; ' + text }) },
    void: { to: 'void', input: { text: t.text() }, run: async (ctx, _note, { text }) => ({ text, on: '2026-03-04' }) },
    nothing: { run: () => {} },
    empty: { to: 'closed', run: () => ({}) },
    twin: { run: async (ctx, { text }) => created(await ctx.entities.note.create({ text: 'twin of ' + text })) },
    twinAndClose: { to: 'closed', run: async (ctx, { text }) => created(await ctx.entities.note.create({ text })) },
    number: { run: () => 7 },
    stranger: { run: () => ({ never: 'declared' }) },
    wrong: { run: () => ({ n: 'seven' }) },
    clear: { run: () => ({ n: null }) },
    refuse: { run: (_ctx, { text }) => fail('CLOSED', { text }) },
    broken: { to: 'closed', run: () => { throw new Error('secret') } },
    look: { run: (_ctx, note) => ({ text: Object.keys(note).join(' ') }) },
  } },
  routes: {
    read: { method: 'GET', path: '/read', query: { n: t.int().default(1), text: t.text().optional(), on: t.date().optional(), done: t.bool().optional() },
      run: (ctx, query) => ({ query }) },
    shaped: { method: 'GET', path: '/shaped', returns: { count: t.int() }, run: () => ({ count: 2, more: 'left as it is' }) },
    bare: { method: 'GET', path: '/bare', run: () => 'a "text"' },
    list: { method: 'GET', path: '/list-of-things', run: () => [1, 'two', null] },
    nothing: { method: 'GET', path: '/nothing', run: () => undefined },
    body: { method: 'POST', path: '/body', input: { price: t.money(), lines: t.lines({ what: t.text() }), more: t.object({ a: t.int() }).optional() },
      run: (_ctx, input) => input },
    ${cases.map(routeOf).join('\n')}
  },
  roles: { member: { can: ['note.read', 'note.create', 'note.annotate', 'route.*', { permission: 'note.update', own: true }] } },
})`
