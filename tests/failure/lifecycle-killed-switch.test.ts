// The kernel is killed while it rolls a plugin back, disables or enables it; or at any moment of an upgrade,
// while another process goes on.
import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { crashLab } from '../support/crash-lab.ts'
import { growingVisits } from '../support/growing-visits.ts'

t.test('killed', async (t) => {
  const lab = await crashLab(t)
  const { killedAt, carriedOut, get } = lab
  const { latest, publish, serves } = await growingVisits(lab)

  await t.test('a rollback, at each step', async (t) => {
    const old = latest()
    const version = await publish('field')
    t.match(await carriedOut('upgrade', { version }), { state: 'succeeded' })
    t.match(await killedAt('check', 'rollback'), { state: 'succeeded' })
    await serves(t, old)
    t.match(await killedAt('activate', 'rollback'), { state: 'succeeded' })
    await serves(t, version)
  })

  await t.test('disabling and enabling', async (t) => {
    t.match(await killedAt('switch', 'disable'), { state: 'succeeded' })
    t.match(await get('/v1/visits/version'), { status: 503, body: { code: 'MODULE_UNAVAILABLE' } })
    t.match(await killedAt('switch', 'enable'), { state: 'succeeded' })
    await serves(t, latest())
  })

  await t.test('at any moment, and another process goes on', async (t) => {
    for (const change of ['rename', 'field'] as const) {
      const version = await publish(change)
      const other = await lab.start()
      lab.ask('upgrade', { version })
      await sleep(randomInt(20, 700))
      await lab.kernel().end('SIGKILL')
      const operation = await lab.ended()
      t.match(operation, { state: 'succeeded' })
      const reply = await lab.tenant.at(other.url)('GET', '/v1/visits/version')
      t.match(reply, { status: 200, body: { version } }, 'the other serves it')
      await lab.killed()
      await serves(t, version)
      await other.end('SIGKILL')
    }
  })
})
