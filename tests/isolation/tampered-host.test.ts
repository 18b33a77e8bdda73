// A host that says what no honest host says: a process started exactly as a host is, running a script of the attacker's
// that speaks the frames. Each attack is made twice: against the wall, and with the wall taken down, when it succeeds.
import t, { type Test } from 'tap'
import { allStand, type Defence } from '../../kernel/src/defences.ts'
import { probePlatform } from '../../kernel/src/sandbox/host-process.ts'
import { defaultLimits } from '../../kernel/src/sandbox/limits.ts'
import { superviseHost } from '../../kernel/src/sandbox/supervisor.ts'
import { recordingLog } from '../support/recording-log.ts'
import { caller, eventually, hostsNow } from '../support/sandbox.ts'
import { frameAttacks } from './frame-attacks.fixture.ts'
import {
  hostScript,
  succeeds,
  type TamperedHostAttack,
  tamperedHostAttacks,
} from './tampered-host-attacks.fixture.ts'

interface Outcome {
  readonly value?: unknown
  readonly code?: string
  readonly limit?: unknown
  /** CPU it was billed for. */
  readonly cpuMs?: number
  readonly isAlive: boolean
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

    async function attack(
      t: Test,
      row: Pick<TamperedHostAttack, 'script' | 'wallMs' | 'answerMs'>,
      off: readonly Defence[],
    ): Promise<Outcome> {
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

    for (const row of tamperedHostAttacks) {
      const { attack: name, defence, expected, withoutWall } = row
      await t.test(name, async (t) => t.match(await attack(t, row, []), expected))
      await t.test(`${name}, without ${defence}`, async (t) =>
        t.match(await attack(t, row, [defence]), withoutWall ?? succeeds),
      )
    }

    for (const row of frameAttacks)
      await t.test(row.attack, async (t) => t.match(await attack(t, row, []), row.expected))

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
