// Attacks from inside an isolate on time, memory, timers and what was kept, in the form of guest-attacks.fixture.ts.
import type { GuestAttack } from './guest-attacks.fixture.ts'

const value = (expected: unknown) => ({ value: expected })
const error = (expected: RegExp) => ({ error: expected })
const cpu = error(/LIMIT_EXCEEDED cpu/)
const failed = error(/PLUGIN_FAILED/)
const entry = 'an entry has a timeout'
const over = 'an invocation that has ended takes no calls'

export const resourceAttacks: readonly GuestAttack[] = [
  // Time
  {
    attack: 'a regular expression that backtracks',
    source: `return /^(a+)+$/.test('a'.repeat(40) + 'b')`,
    defence: entry,
    expected: cpu,
  },
  {
    attack: 'a comparator that loops',
    source: `return [3, 1, 2].sort(() => { for (;;) {} })`,
    defence: entry,
    expected: cpu,
  },
  {
    attack: 'a generator without an end',
    source: `function* more() { for (;;) yield* [1] } return [...more()].length`,
    defence: 'an entry has a timeout and an isolate a memory',
    expected: error(/LIMIT_EXCEEDED (cpu|memory)|PLUGIN_FAILED/),
  },
  {
    attack: 'a generator whose return loops',
    source: `function* more() { try { yield 1 } finally { for (;;) {} } } for (const one of more()) break; return 1`,
    defence: entry,
    expected: cpu,
  },
  {
    attack: 'an async generator without an end',
    source: `async function* more() { for (;;) yield 1 } for await (const one of more()) {} return 1`,
    defence: entry,
    expected: cpu,
  },
  {
    attack: 'microtasks that double',
    source: `const more = () => { queueMicrotask(more); queueMicrotask(more) }; more(); return new Promise(() => {})`,
    defence: entry,
    expected: error(/LIMIT_EXCEEDED (cpu|memory)/),
  },
  {
    attack: 'a marks text that V8 cannot be stopped at',
    source: `return ('a' + '\\u0315\\u0301'.repeat(1e5)).normalize('NFD').length`,
    defence: 'normalize is bounded',
    expected: failed,
  },
  {
    attack: 'an interval that eats the CPU bit by bit',
    source: `setInterval(() => { const end = Date.now() + 100; while (Date.now() < end) {} }, 1); return new Promise(() => {})`,
    defence: 'the CPU of all entries counts together',
    expected: cpu,
  },
  // Timers and logs
  {
    attack: '10,000 timers',
    source: `for (let n = 0; n < 10_000; n += 1) setTimeout(() => {}, 1000); return 'set'`,
    defence: 'timers are counted',
    expected: error(/LIMIT_EXCEEDED timers/),
  },
  {
    attack: 'timers one after the other for ever',
    source: `for (;;) await new Promise((done) => setImmediate(done))`,
    defence: 'timers are counted',
    expected: error(/LIMIT_EXCEEDED timers/),
  },
  {
    attack: 'a timer after the end',
    source: `await new Promise((done) => setTimeout(done, 60)); return globalThis.after ?? 'nothing came'`,
    before: `setTimeout(() => { globalThis.after = 'came' }, 10); return 1`,
    defence: 'timers end with their invocation',
    expected: value('nothing came'),
  },
  {
    attack: 'a text as the code of a timer',
    source: `setTimeout('globalThis.x = 1', 1); return 1`,
    defence: 'timers take functions',
    expected: failed,
  },
  {
    attack: 'somebody else his timer is cleared',
    source: `for (let n = 0; n < 1e4; n += 1) clearTimeout(n); return 'cleared'`,
    defence: 'timers are of their isolate',
    expected: value('cleared'),
  },
  {
    attack: 'a flood of console lines',
    source: `for (let n = 0; n < 1e5; n += 1) console.log('line'); return 'said'`,
    defence: 'lines are counted inside',
    expected: value('said'),
  },
  {
    attack: 'one huge console line',
    source: `console.log('x'.repeat(1e7)); return 'said'`,
    defence: 'lines are cut inside',
    expected: value('said'),
  },
  // What was kept
  {
    attack: 'a ctx of before',
    source: `return globalThis.kept.entities.note.get('a')`,
    before: `globalThis.kept = ctx; return 1`,
    defence: over,
    expected: failed,
  },
  {
    attack: 'a log of before',
    source: `globalThis.keptLog.info('late'); return 'ignored'`,
    before: `globalThis.keptLog = ctx.log; return 1`,
    defence: over,
    expected: value('ignored'),
  },
  {
    attack: 'an answer given twice',
    source: `return { then(done) { done('first'); done('second') } }`,
    defence: over,
    expected: value('first'),
  },
  {
    attack: 'a handler that goes on after its answer',
    source: `return await new Promise((done) => setTimeout(() => done(globalThis.went ?? 'stopped'), 30))`,
    before: `ctx.entities.note.get('a').then(() => { globalThis.went = 'on' }); return 'early'`,
    defence: over,
    expected: value('stopped'),
  },
  // Memory
  {
    attack: 'WebAssembly memory',
    source: `const kept = []; for (;;) kept.push(new Uint8Array(new WebAssembly.Memory({ initial: 1000, maximum: 1000 }).buffer).fill(1))`,
    defence: 'guestGlobals',
    expected: failed,
  },
  {
    attack: 'a shared buffer that grows',
    source: `return new SharedArrayBuffer(1, { maxByteLength: 1e9 })`,
    defence: 'guestGlobals',
    expected: failed,
  },
  {
    attack: 'a buffer that grows',
    source: `return typeof new ArrayBuffer(1, { maxByteLength: 1e9 }).resize`,
    defence: 'guestGlobals',
    expected: value('undefined'),
  },
  {
    attack: 'a finalizer',
    source: `return typeof FinalizationRegistry + typeof WeakRef`,
    defence: 'guestGlobals',
    expected: value('undefinedundefined'),
  },
  {
    endsHost: true,
    attack: 'code that makes code',
    source: `let code = '1'; for (;;) code = 'eval(' + JSON.stringify(code) + ')' + code`,
    defence: 'an isolate has a memory',
    expected: error(/LIMIT_EXCEEDED|PLUGIN_FAILED|MODULE_UNAVAILABLE/),
  },
  {
    endsHost: true,
    attack: 'a concatenation without an end',
    source: `let all = ['x']; for (;;) all = all.concat(all)`,
    defence: 'an isolate has a memory',
    expected: error(/LIMIT_EXCEEDED|MODULE_UNAVAILABLE/),
  },
]
