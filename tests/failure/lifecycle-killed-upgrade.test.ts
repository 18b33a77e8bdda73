// The kernel is killed while it changes which version of a plugin is served: started again, it goes on where it was.
import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { crashLab } from '../support/crash-lab.ts'
import { visits } from '../support/visits.ts'

const name = '@acme/visits'

t.test('killed', async (t) => {
  const lab = await crashLab(t)
  const { database, releases, killedAt, carriedOut, get, post } = lab
  let minor = 0
  let fields = ''
  let who = 'who'
  /** The next release: with another field, or with a field under another name. */
  async function publish(change: 'field' | 'rename'): Promise<string> {
    minor += 1
    const version = `1.${minor}.0`
    const before = who
    if (change === 'field') fields += `extra${minor}: t.text().optional(), `
    else who = `who${minor}`
    const wishes = before === who ? {} : { rename: [`visit.${before}=visit.${who}`] }
    await releases.publish({ name, version, source: visits(version, { fields, who }), wishes })
    return version
  }
  let records = 0
  async function serves(t: Test, version: string): Promise<void> {
    t.match(await get('/v1/visits/version'), { status: 200, body: { version } })
    t.match(await post('/v1/visits/visits', { [who]: 'Ada' }), { status: 201 })
    records += 1
    const { body } = await get('/v1/visits/visits?limit=200')
    t.equal((body['items'] as unknown[]).length, records, 'every record is there')
    const { rows } = await database.admin.query('SELECT state, stable, candidate FROM kernel.plugin')
    t.same(rows, [{ state: 'active', stable: version, candidate: null }])
  }

  await releases.publish({ name, version: '1.0.0', source: visits('1.0.0') })
  t.match(await carriedOut('install', { package: name }), { state: 'succeeded' })
  await post('/v1/tenant/modules', { module: 'visits' })

  for (const change of ['field', 'rename'] as const) {
    for (const step of change === 'field'
      ? ['fetch', 'canary', 'activate']
      : ['hold', 'migrate', 'activate']) {
      await t.test(`an upgrade with another ${change}, before ${step} is noted`, async (t) => {
        const version = await publish(change)
        t.match(await killedAt(step, 'upgrade', { version }), { state: 'succeeded', error: null })
        await serves(t, version)
      })
    }
  }

  await t.test('a rollback, at each step', async (t) => {
    const old = `1.${minor}.0`
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
    await serves(t, `1.${minor}.0`)
  })

  await t.test('at any moment, and another process goes on', async (t) => {
    for (const change of ['rename', 'field', 'rename'] as const) {
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
