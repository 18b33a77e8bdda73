// Attacks from inside an isolate: the body of an async handler, the defence that answers it, and what its caller gets:
// a value, or the code of an error (with the limit that was hit).

export interface GuestAttack {
  readonly attack: string
  readonly source: string
  readonly defence: string
  readonly expected: { readonly value: unknown } | { readonly error: RegExp }
  /** An invocation before it, that leaves something behind. */
  readonly before?: string
  /** Built-ins that V8 cannot interrupt: only the end of the host ends them, so each has a host of its own. */
  readonly endsHost?: boolean
}

const value = (expected: unknown) => ({ value: expected })
const error = (expected: RegExp) => ({ error: expected })
const cpu = error(/LIMIT_EXCEEDED cpu/)
const failed = error(/PLUGIN_FAILED/)

const own = 'what a plugin does to its built-ins reaches its own isolate'
const captured = 'the guest took its built-ins before'
const strings = 'only strings cross the wall'
const entry = 'an entry has a timeout'
const language = 'an isolate has the language alone'

export const guestAttacks: readonly GuestAttack[] = [
  // Ways out
  {
    attack: 'the constructor of a function',
    source: `return typeof ctx.emit.constructor('return this')().process`,
    defence: language,
    expected: value('undefined'),
  },
  {
    attack: 'the constructor of an async function',
    source: `return typeof (await (async () => {}).constructor('return globalThis.require')())`,
    defence: language,
    expected: value('undefined'),
  },
  {
    attack: 'the constructor of a generator',
    source: `return typeof (function* () {}).constructor('yield globalThis.process')().next().value`,
    defence: language,
    expected: value('undefined'),
  },
  {
    attack: 'the constructors of what ctx is made of',
    source: `return [ctx, ctx.entities.note, ctx.log.info, ctx.tenant, ctx.user.can].map((one) => typeof one.constructor?.constructor?.('return this.process')?.()).join()`,
    defence: language,
    expected: value('undefined,undefined,undefined,undefined,undefined'),
  },
  {
    attack: 'the constructor of an error of the kernel',
    source: `try { await ctx.entities.note.get('missing') } catch (e) { return typeof e.constructor.constructor('return process')() }`,
    defence: language,
    expected: failed,
  },
  {
    attack: 'stack frames as objects',
    source: `try { Error.prepareStackTrace = (_, sites) => sites } catch {}; return typeof new Error('x').stack`,
    defence: 'prepareStackTrace is fixed',
    expected: value('string'),
  },
  {
    attack: 'a new prepareStackTrace by definition',
    source: `try { Object.defineProperty(Error, 'prepareStackTrace', { value: () => { for (;;) {} } }) } catch { return 'refused' }; return 'defined'`,
    defence: 'prepareStackTrace is fixed',
    expected: value('refused'),
  },
  {
    attack: 'who called me',
    source: `function f() { return f.caller } try { return String(f.caller) + typeof f.arguments } catch (e) { return e.name }`,
    defence: 'the guest is strict',
    expected: value('nullobject'),
  },
  {
    attack: 'a dynamic import',
    source: `return import('node:fs').then(() => 'loaded', () => 'refused')`,
    defence: language,
    expected: value('refused'),
  },
  {
    attack: 'the debugger',
    source: `debugger; return 'passed'`,
    defence: language,
    expected: value('passed'),
  },
  // Poisoned prototypes
  {
    attack: 'Object.prototype.toJSON forges an answer',
    source: `Object.prototype.toJSON = () => ({ forged: true }); return { real: 1 }`,
    defence: own,
    expected: value({ forged: true }),
  },
  {
    attack: 'Object.prototype.toJSON forges a failure',
    source: `Object.prototype.toJSON = () => ({ kind: 'refused', code: 'FORGED' }); throw new Error('real')`,
    defence: 'a failure has no prototype',
    expected: failed,
  },
  {
    attack: 'Object.prototype.toJSON breaks a failure',
    source: `Object.prototype.toJSON = () => 'no failure at all'; throw new Error('real')`,
    defence: 'a failure has no prototype',
    expected: failed,
  },
  {
    attack: 'Object.prototype.toJSON forges a call',
    source: `Object.prototype.toJSON = () => ({ entity: 'note', id: 'forged' }); return ctx.entities.note.get('real')`,
    defence: 'the broker reads tenant and actor from the invocation',
    expected: value({ entity: 'note', id: 'forged' }),
  },
  {
    attack: 'getters on Object.prototype',
    source: `for (const name of ['kind', 'code', 'limit', 'then', 'id', 'invocation']) Object.defineProperty(Object.prototype, name, { get() { return 'done' }, configurable: true }); throw {}`,
    defence: captured,
    expected: failed,
  },
  {
    attack: 'setters on Object.prototype',
    source: `for (const name of ['kind', '1', '2', 'code']) Object.defineProperty(Object.prototype, name, { set(v) { throw v }, configurable: true }); return ctx.entities.note.get('a').then(() => 'answered')`,
    defence: captured,
    expected: value('answered'),
  },
  {
    attack: 'the iterator of arrays',
    source: `Array.prototype[Symbol.iterator] = function* () { yield 'forged' }; await ctx.entities.note.get('a'); return 'answered'`,
    defence: captured,
    expected: value('answered'),
  },
  {
    attack: 'Promise.prototype.then',
    source: `Promise.prototype.then = () => { for (;;) {} }; await ctx.entities.note.get('a'); return 'answered'`,
    defence: captured,
    expected: value('answered'),
  },
  {
    attack: 'Promise itself',
    source: `globalThis.Promise = class {}; await ctx.entities.note.get('a'); return 'answered'`,
    defence: captured,
    expected: value('answered'),
  },
  {
    attack: 'JSON.parse and JSON.stringify',
    source: `JSON.parse = () => ({ forged: true }); JSON.stringify = () => '{"forged":true}'; return { real: 1 }`,
    defence: captured,
    expected: value({ real: 1 }),
  },
  {
    attack: 'Function.prototype.call and apply',
    source: `Function.prototype.call = Function.prototype.apply = () => 'forged'; await ctx.entities.note.get('a'); return 'answered'`,
    defence: captured,
    expected: value('answered'),
  },
  {
    attack: 'String.prototype.slice in a failure',
    source: `String.prototype.slice = () => 'x'.repeat(1e6); throw new Error('real')`,
    defence: captured,
    expected: failed,
  },
  {
    attack: 'WeakMap.prototype.get claims the error of a call',
    source: `WeakMap.prototype.get = () => ({ invocation: 1, call: 1 }); throw new Error('own')`,
    defence: captured,
    expected: failed,
  },
  {
    attack: 'Array.prototype.push is watched for secrets',
    source: `const seen = []; Object.defineProperty(Array.prototype, '0', { set(v) { seen.push(v) }, configurable: true }); btoa('abc'); return seen.length`,
    defence: captured,
    expected: value(0),
  },
  {
    attack: 'the species of an array',
    source: `class Mine extends Array { static get [Symbol.species]() { for (;;) {} } }; return new Mine(3).map(() => 1)`,
    defence: entry,
    expected: cpu,
  },
  // What is answered, thrown or given
  {
    attack: 'an answer with a getter that loops',
    source: `return { get x() { for (;;) {} } }`,
    defence: entry,
    expected: cpu,
  },
  {
    attack: 'an answer that is a Proxy',
    source: `return new Proxy({}, { ownKeys() { for (;;) {} } })`,
    defence: entry,
    expected: cpu,
  },
  {
    attack: 'an answer with a toJSON of its own',
    source: `return { toJSON() { throw { get message() { return 'x'.repeat(1e7) } } } }`,
    defence: 'what is thrown is cut inside',
    expected: failed,
  },
  {
    attack: 'an answer that refers to itself',
    source: `const a = {}; a.a = a; return a`,
    defence: strings,
    expected: failed,
  },
  {
    attack: 'an answer nested 100,000 deep',
    source: `let a = []; for (let n = 0; n < 1e5; n += 1) a = [a]; return a`,
    defence: strings,
    expected: error(/LIMIT_EXCEEDED depth/),
  },
  { attack: 'an answer that is a bigint', source: `return 1n`, defence: strings, expected: failed },
  {
    attack: 'an answer that is then-able for ever',
    source: `const a = { then(done) { done(a) } }; return a`,
    defence: entry,
    expected: cpu,
  },
  {
    attack: 'an answer too large',
    source: `return 'é'.repeat(600_000)`,
    defence: 'the size is checked inside',
    expected: error(/LIMIT_EXCEEDED result/),
  },
  {
    attack: 'an error that is a Proxy',
    source: `throw new Proxy(new Error('x'), { get() { for (;;) {} } })`,
    defence: entry,
    expected: cpu,
  },
  {
    attack: 'an error with a getter that throws',
    source: `throw { get message() { throw { get message() { throw 1 } } } }`,
    defence: 'what cannot be read is said to be',
    expected: failed,
  },
  {
    attack: 'an error that is a revoked Proxy',
    source: `const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); throw proxy`,
    defence: 'what cannot be read is said to be',
    expected: failed,
  },
  {
    attack: 'an error with a long message',
    source: `throw new Error('x'.repeat(2e7))`,
    defence: 'what is thrown is cut inside',
    expected: failed,
  },
  {
    attack: 'a refusal with a code of markup',
    source: `throw Object.assign(new Error('x'), { name: 'PluginError', code: '<script>', data: {} })`,
    defence: 'codes have a form',
    expected: failed,
  },
  {
    attack: 'an error that claims to be of the kernel',
    source: `throw Object.assign(new Error('forged'), { name: 'PlinthError', code: 'FORBIDDEN', status: 403, level: 'info', data: {} })`,
    defence: 'the kernel remembers which errors it gave',
    expected: failed,
  },
  {
    attack: 'an argument that is a Proxy',
    source: `return ctx.entities.note.create(new Proxy({}, { ownKeys() { for (;;) {} } }))`,
    defence: entry,
    expected: cpu,
  },
  {
    attack: 'an argument that names another tenant',
    source: `return ctx.entities.note.create({ tenant: 'b', tenantId: 'b', __proto__: { tenant: 'b' } })`,
    defence: 'the broker reads tenant and actor from the invocation',
    expected: value({ entity: 'note', values: { tenant: 'b', tenantId: 'b' } }),
  },
  {
    attack: 'an argument too large, caught',
    source: `try { await ctx.entities.note.create({ x: 'x'.repeat(3e5) }) } catch {} return 'caught'`,
    defence: 'a limit cannot be caught',
    expected: error(/LIMIT_EXCEEDED argument/),
  },
]
