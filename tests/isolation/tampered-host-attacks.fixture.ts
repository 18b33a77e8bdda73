// What a host that was taken over sends: the script that speaks the frames, the wall, and what its caller gets.
import type { Defence } from '../../kernel/src/defences.ts'

/** Loads, and then does `onInvoke` with the invocation's id and `onResult` with the number of a call's answer. */
export const hostScript = (onInvoke: string, onResult = '') => `
const frame = (header, body = '') => {
  const head = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header))
  const rest = Buffer.from(body)
  const prefix = Buffer.alloc(8)
  prefix.writeUInt32BE(4 + head.length + rest.length, 0)
  prefix.writeUInt32BE(head.length, 4)
  return Buffer.concat([prefix, head, rest])
}
const send = (header, body) => process.stdout.write(frame(header, body))
const call = (invocation, call, body = '{"entity":"note","id":"a"}', name = 'entities.get') =>
  send({ type: 'call', invocation, call, name }, body)
const done = (invocation, body = '"done"', cpuMs = 1) => send({ type: 'done', invocation, cpuMs }, body)
let kept = Buffer.alloc(0)
process.stdin.on('data', (chunk) => {
  kept = Buffer.concat([kept, chunk])
  while (kept.length >= 4 && kept.length >= 4 + kept.readUInt32BE(0)) {
    const head = JSON.parse(kept.toString('utf8', 8, 8 + kept.readUInt32BE(4)))
    kept = kept.subarray(4 + kept.readUInt32BE(0))
    if (head.type === 'load') send({ type: 'loaded' })
    else if (head.type === 'ping') send({ type: 'pong', isolates: 0 })
    else if (head.type === 'invoke') { const id = head.invocation; ${onInvoke} }
    else if (head.type === 'result') { const number = head.call; const id = head.invocation; ${onResult} }
  }
})
process.stdin.on('end', () => process.exit())
send({ type: 'ready', protocol: 1 })
`

export interface TamperedHostAttack {
  readonly attack: string
  readonly defence: Defence
  readonly script: string
  readonly wallMs?: number
  /** How long the kernel takes to answer a call. */
  readonly answerMs?: number
  readonly expected: object
  /** When the attack's success is not that it is answered. */
  readonly withoutWall?: object
}

const killed = { code: 'MODULE_UNAVAILABLE', isAlive: false }
const limit = (name: string) => ({ code: 'LIMIT_EXCEEDED', limit: name, isAlive: true })
export const succeeds = { value: 'done', isAlive: true }

export const tamperedHostAttacks: readonly TamperedHostAttack[] = [
  {
    attack: 'sends a frame larger than any honest one',
    defence: 'frameLimits',
    script: hostScript(`send({ type: 'loaded' }, 'x'.repeat(3e6)); done(id)`),
    expected: killed,
  },
  {
    attack: 'announces a gigabyte',
    defence: 'frameLimits',
    script: hostScript(
      `const size = Buffer.alloc(4); size.writeUInt32BE(2 ** 29); process.stdout.write(size); done(id)`,
    ),
    wallMs: 2_000,
    expected: killed,
    // What follows is a part of it.
    withoutWall: { code: 'PLUGIN_DEADLINE_EXCEEDED', isAlive: true },
  },
  {
    attack: 'sends a header larger than any honest one',
    defence: 'frameLimits',
    script: hostScript(
      `send({ type: 'refused', reason: 'x' }); send('{"type":"loaded"}' + ' '.repeat(1e5)); done(id)`,
    ),
    expected: killed,
  },
  {
    attack: 'gives CPU back to its tenant',
    defence: 'messageParsing',
    script: hostScript(`done(id, '"done"', -1000)`),
    expected: killed,
    withoutWall: { ...succeeds, cpuMs: -1_000 },
  },
  {
    attack: 'names a limit that does not exist',
    defence: 'messageParsing',
    script: hostScript(
      `send({ type: 'failed', invocation: id, cpuMs: 1, failure: { kind: 'limit', limit: 'patience', used: 1, cap: 1 } }, '{}')`,
    ),
    expected: killed,
    withoutWall: { code: 'LIMIT_EXCEEDED', limit: 'patience', isAlive: true },
  },
  {
    attack: 'says who it is for',
    defence: 'messageParsing',
    script: hostScript(`send({ type: 'done', invocation: id, cpuMs: 1, tenant: 'b' }, '"done"')`),
    expected: killed,
  },
  {
    attack: 'calls with an argument that is too large',
    defence: 'callLimits',
    script: hostScript(`call(id, 1, JSON.stringify({ entity: 'note', id: 'x'.repeat(3e5) }))`, 'done(id)'),
    expected: limit('argument'),
  },
  {
    attack: 'calls too often',
    defence: 'callLimits',
    script: hostScript('call(id, 1)', 'number === 501 ? done(id) : call(id, number + 1)'),
    expected: limit('calls'),
  },
  {
    attack: 'has too many calls in flight',
    defence: 'callLimits',
    script: hostScript('for (let n = 1; n <= 60; n++) call(id, n)', 'if (number === 60) done(id)'),
    answerMs: 300,
    expected: limit('callsInFlight'),
  },
  {
    attack: 'ends while the kernel carries out its call',
    defence: 'callLimits',
    script: hostScript('call(id, 1); done(id)'),
    answerMs: 300,
    expected: { code: 'PLUGIN_FAILED', isAlive: true },
  },
  {
    attack: 'logs too many lines',
    defence: 'callLimits',
    script: hostScript(
      `for (let n = 1; n <= 200; n++) call(id, 0, '{"level":"info","message":"spam"}', 'log.write'); done(id)`,
    ),
    expected: limit('log'),
  },
  {
    attack: 'answers with too much',
    defence: 'callLimits',
    script: hostScript(`done(id, JSON.stringify('x'.repeat(1.5e6)))`),
    expected: limit('result'),
    withoutWall: { value: /^x+$/, isAlive: true },
  },
  {
    attack: 'floods the kernel with messages for nobody',
    defence: 'callLimits',
    script: hostScript(`for (let n = 0; n < 20000; n++) call(id + 1000, 1); done(id)`),
    expected: killed,
  },
]
