// What a plugin's code does through a whole kernel: holds up its host, or what it holds others up with, or the log.

export interface CodeAttack {
  readonly attack: string
  readonly defence: string
  /** The body of an async handler of `ctx`. */
  readonly code: string
  /** Of status and body. */
  readonly expected: RegExp
}

const limit = /^{"status":502,.*LIMIT_EXCEEDED/
const failed = /^{"status":502,.*PLUGIN_FAILED/
const fine = /^{"status":200/
const entry = 'an entry has a timeout'

const row = (attack: string, defence: string, code: string, expected: RegExp): CodeAttack => ({
  attack,
  defence,
  code,
  expected,
})

export const forceAttacks: readonly CodeAttack[] = [
  row('a loop', entry, 'for (;;);', limit),
  row('a loop after a call', entry, 'await ctx.entities.note.list(); for (;;);', limit),
  row(
    'microtasks without an end',
    entry,
    'const more = () => Promise.resolve().then(more); await more()',
    limit,
  ),
  row('a regular expression that backtracks', entry, `return /^(a+)+$/.test('a'.repeat(40) + 'b')`, limit),
  row('a comparator that loops', entry, 'return [2, 1].sort(() => { for (;;); })', limit),
  row(
    'a heap that grows',
    'an isolate has a memory',
    'const all = []; for (;;) all.push({ all: [...all.slice(-9)] })',
    /^{"status":502,.*(LIMIT_EXCEEDED|PLUGIN_FAILED)/,
  ),
  row(
    'a text that doubles',
    'an isolate has a memory',
    `let all = 'x'; for (;;) all += all`,
    /^{"status":502,.*(LIMIT_EXCEEDED|PLUGIN_FAILED)/,
  ),
  row('an answer of 5 MB', 'the size is checked inside', `return 'x'.repeat(5e6)`, limit),
  row('the end of the process', 'an isolate has the language alone', 'process.exit(1)', failed),
  row('an error that is a text', 'what is thrown is not told', `throw '${'canary'}-of-the-plugin'`, failed),
  row(
    'a refusal with a getter that loops',
    entry,
    `throw { name: 'PluginError', get code() { for (;;); } }`,
    /^{"status":502,.*(LIMIT_EXCEEDED|PLUGIN_FAILED)/,
  ),
]

const lines = 'the kernel says whose a line is'
export const logAttacks: readonly (CodeAttack & { readonly line: object })[] = [
  {
    ...row(
      'a line break and a line of another',
      lines,
      `ctx.log.info('a\\n{"level":60,"tenant":"b","msg":"forged"}')`,
      fine,
    ),
    line: { level: 30, msg: 'a\n{"level":60,"tenant":"b","msg":"forged"}', module: 'burglar' },
  },
  {
    ...row(
      'the names of the fields of a line',
      lines,
      `ctx.log.warn('fields', { tenant: 'b', module: 'vault', level: 60, time: 0, requestId: 'x', err: { stack: 'y' } })`,
      fine,
    ),
    line: {
      level: 40,
      msg: 'fields',
      module: 'burglar',
      plugin: { tenant: 'b', module: 'vault', level: 60 },
    },
  },
  {
    ...row('what moves the cursor', lines, `ctx.log.info('\\u001b[2Jcleared')`, fine),
    line: { level: 30, msg: '\u001b[2Jcleared', module: 'burglar' },
  },
  {
    ...row('a line of 1 MB', 'lines are cut inside', `ctx.log.info('x'.repeat(1e6))`, fine),
    line: { level: 30, msg: /^x{100,4096}/, module: 'burglar' },
  },
  {
    ...row(
      'data with __proto__',
      lines,
      `ctx.log.info('proto', JSON.parse('{"__proto__":{"tenant":"b"}}'))`,
      fine,
    ),
    line: { level: 30, msg: 'proto', module: 'burglar' },
  },
  {
    ...row('console, for the same', lines, `console.error('a\\nb', { tenant: 'b' })`, fine),
    line: { level: 50, module: 'burglar' },
  },
]

const keys = 'locks are on rows of one’s own tenant'
/** Each holds something for a second; meanwhile another tenant does the same with his own. */
export const lockAttacks: readonly (CodeAttack & {
  readonly other: readonly [method: 'POST' | 'PATCH', path: string, body: object]
})[] = [
  {
    ...row(
      'the next number of a series',
      keys,
      `await ctx.entities.note.create({ text: 'held' }); await new Promise((done) => setTimeout(done, 1000)); return 'held'`,
      fine,
    ),
    other: ['POST', '/v1/burglar/notes', { text: 'free' }],
  },
  {
    ...row(
      'a record',
      keys,
      `const [one] = (await ctx.entities.note.list()).items; await ctx.entities.note.update(one.id, { text: 'held' }); await new Promise((done) => setTimeout(done, 1000)); return 'held'`,
      fine,
    ),
    other: ['POST', '/v1/burglar/notes', { text: 'free' }],
  },
]
