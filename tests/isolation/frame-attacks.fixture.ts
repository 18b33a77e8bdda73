// Frames that no honest host sends, and messages in no honest order, in scripts of tampered-host-attacks.fixture.ts.
import { hostScript } from './tampered-host-attacks.fixture.ts'

export interface FrameAttack {
  readonly attack: string
  readonly defence: string
  readonly script: string
  readonly expected: object
}

const killed = { code: 'MODULE_UNAVAILABLE', isAlive: false }
const unharmed = { value: 'done', isAlive: true }
const frames = 'frames are measured before they are read'
const fields = 'every field is checked'
const late = 'what nobody waits for is dropped'

const row = (attack: string, defence: string, onInvoke: string, expected: object = killed): FrameAttack => ({
  attack,
  defence,
  script: hostScript(onInvoke),
  expected,
})
const header = (text: string) =>
  row(`a header ${text.slice(0, 70)}`, fields, `send(${JSON.stringify(text)}); done(id)`)
/** The part comes last, where it wins over an honest one of the same name. */
const doneWith = (part: string) =>
  row(
    `a result with ${part}`,
    fields,
    `send('{"type":"done","invocation":' + id + ',"cpuMs":1,' + ${JSON.stringify(part)} + '}', '"forged"'); done(id)`,
  )

export const frameAttacks: readonly FrameAttack[] = [
  row('bytes of another protocol', frames, `process.stdout.write('GET / HTTP/1.1\\r\\n\\r\\n'); done(id)`),
  row('a frame of no bytes', frames, `process.stdout.write(Buffer.alloc(4)); done(id)`),
  row(
    'a header longer than its frame',
    frames,
    `const one = frame({ type: 'loaded' }); one.writeUInt32BE(5000, 4); process.stdout.write(one); done(id)`,
  ),
  row(
    'half a frame, and the end',
    frames,
    `process.stdout.write(frame({ type: 'done', invocation: id, cpuMs: 1 }, '"done"').subarray(0, 20), () => process.exit())`,
  ),
  row(
    'half a frame, and silence: the next message is a part of it',
    frames,
    `process.stdout.write(frame({ type: 'done', invocation: id, cpuMs: 1 }, '"done"').subarray(0, 20))`,
  ),
  row(
    'a frame byte by byte',
    frames,
    `for (const byte of frame({ type: 'done', invocation: id, cpuMs: 1 }, '"done"')) process.stdout.write(Buffer.of(byte))`,
    unharmed,
  ),
  ...[
    'no JSON',
    'null',
    '[]',
    '7',
    '"done"',
    '{}',
    '{"type":"exec"}',
    '{"type":"constructor"}',
    '{"type":["done"]}',
    '{"type":"invoke","invocation":1,"tenant":"b","cpuMs":1}',
    '{"__proto__":{"type":"done","invocation":1,"cpuMs":1}}',
    '{"type":"call","invocation":1,"call":1,"name":"kernel.exit"}',
    '{"type":"call","invocation":1,"call":1,"name":"__proto__"}',
    '{"type":"call","invocation":1,"call":-1,"name":"entities.get"}',
    '{"type":"failed","invocation":1,"cpuMs":1,"failure":{"kind":"refused","code":"<script>"}}',
    '{"type":"failed","invocation":1,"cpuMs":1,"failure":{"kind":"forged"}}',
    '{"type":"failed","invocation":1,"cpuMs":1,"failure":null}',
    '{"type":"refused","reason":7}',
    '{"type":"pong","isolates":-1}',
    '{"type":"ready"}',
  ].map(header),
  ...[
    '"invocation":"1"',
    '"invocation":1.5',
    '"invocation":-1',
    '"invocation":1e300',
    '"invocation":null',
    '"cpuMs":1e999',
    '"cpuMs":"1"',
  ].map(doneWith),
  row('an answer given twice', late, `done(id); done(id, '"forged"')`, unharmed),
  row(
    'an answer for somebody else',
    late,
    `for (let n = 1; n < 50; n++) done(id + n, '"forged"'); done(id)`,
    unharmed,
  ),
  row(
    'a failure for somebody else',
    late,
    `send({ type: 'failed', invocation: id + 1, cpuMs: 1, failure: { kind: 'lost' } }, '{}'); done(id)`,
    unharmed,
  ),
  row(
    'a second handshake',
    late,
    `send({ type: 'ready', protocol: 1 }); send({ type: 'loaded' }); done(id)`,
    unharmed,
  ),
  row('a handshake of another protocol', late, `send({ type: 'ready', protocol: 99 }); done(id)`, unharmed),
  row(
    'the failure of a call that was never made',
    'the kernel remembers which errors it gave',
    `send({ type: 'failed', invocation: id, cpuMs: 1, failure: { kind: 'call', call: 7 } }, '{}')`,
    { code: 'PLUGIN_FAILED', isAlive: true },
  ),
  row(
    'a death that somebody else is to pay for',
    'a host that says it dies is gone',
    `send({ type: 'dying', invocation: id + 5 }); done(id)`,
    killed,
  ),
  row(
    '20,000 heartbeats at once',
    'callLimits',
    `for (let n = 0; n < 20000; n++) send({ type: 'pong', isolates: 0 }); done(id)`,
  ),
]
