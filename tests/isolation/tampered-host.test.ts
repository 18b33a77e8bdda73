// A host that says what no honest host says: a process started exactly as a host is, running a script of the attacker's
// that speaks the frames. Each attack is made twice: against the wall, and with the wall taken down, when it succeeds.
import t, { type Test } from 'tap'
import { allStand, type Defence } from '../../kernel/src/defences.ts'
import { probePlatform } from '../../kernel/src/sandbox/host-process.ts'
import { defaultLimits } from '../../kernel/src/sandbox/limits.ts'
import { superviseHost } from '../../kernel/src/sandbox/supervisor.ts'
import { recordingLog } from '../support/recording-log.ts'
import { caller, eventually, hostsNow } from '../support/sandbox.ts'

/** Loads, and then does `onInvoke` with the invocation's id and `onResult` with the number of a call's answer. */
const hostScript = (onInvoke: string, onResult = '') => `
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

interface Outcome {
  readonly value?: unknown
  readonly code?: string
  readonly limit?: unknown
  /** CPU it was billed for. */
  readonly cpuMs?: number
  readonly isAlive: boolean
}

interface Row {
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

t.test(
  'a host that was tampered with',
  { skip: process.platform !== 'linux' && 'reads /proc' },
  async (t) => {
    const platform = await probePlatform()
    const { log, lines } = recordingLog()

    function open(t: Test, host: string, off: readonly Defence[] = [], hostLimits: object = {}) {
      const limits = { ...defaultLimits, host: { ...defaultLimits.host, ...hostLimits } }
      const options = { name: '@test/notes', bundle: '', log, limits }
      const opened = superviseHost(
        platform,
        { host, guest: '' },
        options,
        off.length > 0 ? new Set(off) : allStand,
      )
      t.teardown(async () => {
        for (const pid of hostsNow()) process.kill(pid, 'SIGKILL')
        await opened.close()
      })
      return { host: opened, call: caller(opened) }
    }

    async function attack(t: Test, row: Row, off: readonly Defence[]): Promise<Outcome> {
      const { script, wallMs = 20_000, answerMs = 0 } = row
      const { host, call } = open(t, script, off)
      let cpuMs: number | undefined
      const spent = (ms: number) => {
        cpuMs = ms
      }
      const answer = () => new Promise((resolve) => setTimeout(resolve, answerMs, { id: 'a' }))
      const result = await call('any', { spent, answer, limits: { cpuMs: 1_000, wallMs } }).then(
        (value) => ({ value }),
        (error: { code: string; data: { limit?: unknown } }) => ({
          code: error.code,
          limit: error.data.limit,
        }),
      )
      const isAlive = host.stats().hosts.length > 0
      return { ...result, ...(cpuMs === undefined ? {} : { cpuMs }), isAlive }
    }

    const killed = { code: 'MODULE_UNAVAILABLE', isAlive: false }
    const limit = (name: string) => ({ code: 'LIMIT_EXCEEDED', limit: name, isAlive: true })
    const succeeds = { value: 'done', isAlive: true }

    const rows: readonly Row[] = [
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
        script: hostScript(
          `call(id, 1, JSON.stringify({ entity: 'note', id: 'x'.repeat(3e5) }))`,
          'done(id)',
        ),
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

    for (const row of rows) {
      const { attack: name, defence, expected, withoutWall } = row
      await t.test(name, async (t) => t.match(await attack(t, row, []), expected))
      await t.test(`${name}, without ${defence}`, async (t) =>
        t.match(await attack(t, row, [defence]), withoutWall ?? succeeds),
      )
    }

    await t.test('and is deaf is killed by its heartbeat, and serves nobody on without', async (t) => {
      const deaf = hostScript('for (;;) {}')
      const quick = { heartbeatMs: 100, heartbeatsMissed: 20 }
      const wallMs = 20_000
      const { call } = open(t, deaf, [], quick)
      await t.rejects(call('any', { limits: { cpuMs: 1_000, wallMs } }), { code: 'MODULE_UNAVAILABLE' })
      t.ok(await eventually(() => hostsNow().length === 0))

      const { call: callWithout } = open(t, deaf, ['heartbeat'], quick)
      const limits = { cpuMs: 1_000, wallMs: 5_000 }
      await t.rejects(callWithout('any', { limits }), { code: 'PLUGIN_DEADLINE_EXCEEDED' })
      t.equal(hostsNow().length, 1, 'it runs on, and who comes next meets it')
    })

    await t.test('cannot fill the log through stderr', async (t) => {
      const { call } = open(
        t,
        hostScript(`for (let n = 0; n < 300; n++) process.stderr.write('e'.repeat(1000) + '\\n'); done(id)`),
      )
      t.equal(await call('any'), 'done')
      t.ok(
        await eventually(() =>
          lines.some(({ msg }) => msg === 'a host says too much; no more of it is logged'),
        ),
      )
    })

    await t.test('gets nothing answered for an invocation that is over', async (t) => {
      const { host, call } = open(t, hostScript('done(id); call(id, 1); call(id, 2)'))
      let asked = 0
      const answer = async () => {
        asked += 1
      }
      t.equal(await call('any', { answer }), 'done')
      t.ok(await eventually(() => host.stats().dropped === 2))
      t.equal(asked, 0)
    })
  },
)
