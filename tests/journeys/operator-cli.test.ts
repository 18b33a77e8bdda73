// The operator's commands, run as he runs them against a kernel process.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { repository } from '../support/kernel.ts'
import { openTenantAt, operatedProcesses } from '../support/operated-processes.ts'
import { operatorToken } from '../support/operator.ts'
import { visits } from '../support/visits.ts'

const name = '@acme/visits'

interface Run {
  readonly code: number
  readonly out: string
  readonly err: string
}

t.test('an operator at his terminal', async (t) => {
  const { releases, start } = await operatedProcesses(t)
  const { publish } = releases
  const { url } = await start()
  const { integrity } = await publish({ name, version: '1.0.0', source: visits('1.0.0') })
  const tenant = await openTenantAt(url)

  async function plinth(line: string, answer = '', environment: Record<string, string> = {}): Promise<Run> {
    const args = [join(repository, 'kernel/src/cli.ts'), ...line.split(' '), '--url', url]
    const child = spawn(process.execPath, args, {
      env: {
        PATH: process.env['PATH'] ?? '',
        NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? '',
        PLINTH_OPERATOR_TOKEN: operatorToken,
        ...environment,
      },
    })
    child.stdin.end(answer)
    const [out, err, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ])
    return { code: Number(code), out, err }
  }
  const served = async () => (await tenant.at(url)('GET', '/v1/visits/version')).body['version']

  await t.test('sees the plan, and changes nothing unless he says yes', async (t) => {
    const plan = new RegExp(
      `^Installs ${name} 1\\.0\\.0 as the module 'visits'\\.\nIts bytes: ${integrity.replaceAll(/[+/]/g, '\\$&')}\\.`,
    )
    t.match(await plinth(`install ${name} --dry-run`), { code: 0, out: plan })
    for (const answer of ['', 'n\n', 'maybe\n'])
      t.match(await plinth(`install ${name}`, answer), { code: 1, out: /Nothing was changed\.\n$/ })
    t.match(await plinth('list'), { code: 0, out: 'No plugin is installed.\n' })
  })

  await t.test('installs, and sees each step and the end', async (t) => {
    const installed = await plinth(`install ${name}@^1.0.0 --integrity ${integrity}`, 'y\n')
    t.match(installed, {
      code: 0,
      out: / {2}fetch: done\n {2}migrate: done\n {2}activate: done\n.*install visits 1\.0\.0: succeeded/,
    })
    t.match(await plinth('list'), {
      code: 0,
      out: /^visits {2}@acme\/visits: active, stable 1\.0\.0, 0 tenants; 1\.0\.0\n$/,
    })
    await tenant.at(url)('POST', '/v1/tenant/modules', { module: 'visits' })
  })

  await t.test('upgrades, rolls back, pins, disables and enables', async (t) => {
    await publish({
      name,
      version: '1.1.0',
      source: visits('1.1.0', { fields: 'note: t.text().optional(),' }),
    })
    const upgrading = plinth('upgrade visits --canary 100% --minutes 0.05 --yes')
    // Somebody has to try it.
    let isOver = false
    void upgrading.finally(() => {
      isOver = true
    })
    for (; !isOver; await sleep(100)) await served()
    const upgraded = await upgrading
    t.match(upgraded, {
      code: 0,
      out: new RegExp(
        `from 1\\.0\\.0 to 1\\.1\\.0\\.[\\s\\S]*Tables: .*note[^]*1 tenant affected: ${tenant.slug}`,
      ),
    })
    t.equal(await served(), '1.1.0')
    t.match(await plinth('rollback visits --yes'), { code: 0 })
    t.equal(await served(), '1.0.0')
    t.match(await plinth(`pin ${tenant.slug} visits 1.1.0`), {
      code: 0,
      out: `'${tenant.slug}' is pinned to 1.1.0 of 'visits'.\n`,
    })
    t.equal(await served(), '1.1.0')
    t.match(await plinth(`pin ${tenant.slug} visits stable`), { code: 0, out: /follows stable/ })
    t.match(await plinth('upgrade visits@1.1.0 --beta --yes'), { code: 0 })
    t.match(await plinth(`pin ${tenant.slug} visits beta`), { code: 0, out: /follows beta/ })
    t.equal(await served(), '1.1.0')
    t.match(await plinth('disable visits --yes'), { code: 0 })
    t.equal(await served(), undefined)
    t.match(await plinth('enable visits --yes'), { code: 0 })
    t.equal(await served(), '1.1.0')
  })

  await t.test('sees what there is to do, and holds things back', async (t) => {
    t.match(await plinth('queue list'), { code: 0, out: 'There is nothing to do.\n' })
    t.match(await plinth('queue tenants --queue events.visits'), {
      code: 0,
      out: 'There is nothing to do.\n',
    })
    t.match(await plinth('queue dead --module visits'), { code: 0, out: 'Nothing was given up.\n' })
    const held = await plinth('queue pause --module visits --reason mended')
    t.match(held, { code: 0, out: /^\S+ {2}visits of every tenant since .*: mended\n$/ })
    t.match(await plinth('queue pauses'), { code: 0, out: held.out })
    t.match(await plinth(`queue resume ${held.out.split(' ')[0]}`), { code: 0, out: 'It goes on.\n' })
    t.match(await plinth('queue pauses'), { code: 0, out: 'Nothing is held back.\n' })
    t.match(await plinth(`queue retry ${tenant.slug} 1`), { code: 1, err: /^TASK_NOT_FOUND/ })
    t.match(await plinth('queue retry --module visits', 'n\n'), { code: 1, out: /Nothing was changed\.\n$/ })
    t.match(await plinth('queue discard --module visits --yes'), { code: 0, out: '0 tasks: discarded.\n' })
    t.match(await plinth('queue discord'), { code: 2, err: /plinth queue list/ })
  })

  await t.test('is told why not, and by which exit code', async (t) => {
    t.match(await plinth('upgrade absent --yes'), { code: 1, err: /^PLUGIN_NOT_FOUND: .*'absent'/ })
    t.match(await plinth(`install ${name} --yes`), { code: 1, out: /Refused: .*already/ })
    t.match(await plinth('remove visits --yes'), {
      code: 1,
      out: /deleted for good[\s\S]*Refused: 1 tenants? ha/,
    })
    t.match(await plinth(`install ${name}`, '', { PLINTH_OPERATOR_TOKEN: 'x'.repeat(40) }), {
      code: 1,
      err: /^OPERATOR_REQUIRED/,
    })
    t.match(await plinth('list', '', { PLINTH_OPERATOR_TOKEN: '', DATA_DIR: '/nowhere' }), {
      code: 1,
      err: /no operator token/,
    })
    t.match(await plinth('install'), { code: 2, err: /not used like that/ })
    t.match(await plinth('upgrade visits --canary lots'), { code: 2, err: /--canary lots/ })
    t.match(await plinth('upgrade visits --loud'), { code: 2, err: /--loud/ })
    t.match(await plinth('instal visits'), { code: 2 })
    t.match(await plinth('list --url http://127.0.0.1:9'), { code: 0 }, 'the last address counts')
  })

  await t.test('removes by force, gets the receipt, and reads what he has done', async (t) => {
    t.match(await plinth('remove visits --force', 'yes\n'), {
      code: 0,
      out: /remove visits: succeeded.*\nGone: 0 rows, \d+ bytes\.\n$/,
    })
    const all = await plinth('operations')
    t.match(all, { code: 0, out: /^\S+ {2}remove visits: succeeded \(close, drop, forget\)\n/ })
    const [id = ''] = all.out.split(' ')
    t.match(await plinth(`operations ${id}`), { code: 0, out: all.out.split('\n')[0] })
  })

  await t.test('asks whether a trail is as it was sealed, and keeps the ends of chains', async (t) => {
    const { out } = await plinth('audit anchors')
    const anchor = /^0{8}-.* (\d+:[0-9a-f]{64})$/m.exec(out)?.[1] ?? ''
    const sealed = /^The trail of the installation is as it was sealed: \d+ rows under \d+ seals.*\nAnchor: /
    t.match(await plinth(`audit verify --anchor ${anchor}`), { code: 0, out: sealed })
    const forged = anchor.replace(/.{8}$/, '00000000')
    t.match(await plinth(`audit verify --anchor ${forged}`), {
      code: 1,
      out: /NOT as it was sealed.*\n {2}Seal \d+ is not the one of the anchor/,
    })
  })
})
