// Attacks from inside an isolate on its process, in the form of guest-attacks.fixture.ts.
import type { GuestAttack } from './guest-attacks.fixture.ts'

const language = 'an isolate has the language alone'
const failed = { error: /PLUGIN_FAILED/ }
const refused = { value: 'refused' }
const one = (
  attack: string,
  source: string,
  expected: GuestAttack['expected'] = failed,
  defence = language,
) => ({
  attack,
  source,
  defence,
  expected,
})
const tried = (code: string) => `try { ${code}; return 'did it' } catch { return 'refused' }`

export const processAttacks: readonly GuestAttack[] = [
  one('the end of the process', `process.exit(1)`),
  one('its end by a constructor', `(async () => {}).constructor('process.exit(1)')(); return 1`),
  one('an abort', `ctx.log.info.constructor('return process')().abort()`),
  one('a signal to the kernel', `this.constructor.constructor('return process')().kill(1, 0)`),
  one('a native addon', `process.dlopen({ exports: {} }, '/tmp/evil.node')`),
  one('an internal binding', `process.binding('spawn_sync')`),
  one('require', `require('node:child_process')`),
  one('require by the main module', `process.mainModule.require('fs')`),
  one('a built-in module by the process', `globalThis.process.getBuiltinModule('fs')`),
  one('the loader of modules', tried(`module.constructor._load('fs')`), refused),
  one(
    'an import of a text',
    `return import('data:text/javascript,export default 1').then(() => 'did it', () => 'refused')`,
    refused,
  ),
  one(
    'import in code from a text',
    `return (0, eval)('import("fs")').then(() => 'did it', () => 'refused')`,
    refused,
  ),
  one('a worker', tried(`new Worker('1')`), refused),
  one(
    'compiled WebAssembly',
    tried(`new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))`),
    refused,
    'guestGlobals',
  ),
  one(
    'a wait that no timeout sees',
    tried(`Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)`),
    refused,
    'guestGlobals',
  ),
  one('the library of isolates', tried(`ivm.Reference`), refused),
  one(
    'the bundle put in the place of another',
    `globalThis.__plinthPlugin = { name: 'other' }; return ctx.tenant.id`,
    {
      value: 'the bundle put in the place of another',
    },
    'the guest took its plugin before',
  ),
  one(
    'JSON 100,000 deep',
    `return JSON.parse('['.repeat(1e5) + ']'.repeat(1e5)).length`,
    { value: 1 },
    'parsing needs no stack',
  ),
  one('a recursion without end', `const f = () => f(); return f()`, failed, 'a stack has an end'),
  one(
    'typed arrays until it bursts',
    `const all = []; for (;;) all.push(new Float64Array(1e6).fill(1))`,
    { error: /LIMIT_EXCEEDED|PLUGIN_FAILED/ },
    'an isolate has a memory',
  ),
  one(
    'a text that doubles',
    `let all = 'x'; for (;;) all += all`,
    { error: /LIMIT_EXCEEDED|PLUGIN_FAILED/ },
    'an isolate has a memory',
  ),
]
