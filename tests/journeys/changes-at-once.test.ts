// A handler that changes one record twice without waiting in between: what the second change is based on may be gone when it
// is written, after the handler has ended.
import t from 'tap'
import { makeInstallation } from '../support/installation.ts'
import { testKernel } from '../support/kernel.ts'

const source = `
import { definePlugin, entity, t } from '@plinth/sdk'
const box = entity('Box', { left: t.int().default(0), right: t.int().default(0) }, { path: 'boxes' })
const slip = entity('Slip', { round: t.int() }, { path: 'slips' })
export default definePlugin({
  name: 'boxes', title: 'Boxes', entities: { box, slip },
  routes: { turn: { method: 'POST', path: '/turn', input: { box: t.text(), round: t.int() }, async run(ctx, { box, round }) {
    await ctx.entities.slip.create({ round })
    await Promise.all([ctx.entities.box.update(box, { left: round }), ctx.entities.box.update(box, { right: round })])
  } } },
})`

t.test('two changes of one record at once are both there, or nothing of their request is', async (t) => {
  const root = await makeInstallation(t, { '@test/boxes': { source } })
  const { openTenant, database } = await testKernel(t, { pluginsRoot: root })
  const { owner } = await openTenant('boxes')
  const { id } = (await owner('POST', '/v1/boxes/boxes', {})).body as { id: string }
  let turned = 0
  let refused = 0
  for (let round = 1; round <= 12; round += 1) {
    const { status, body } = await owner('POST', '/v1/boxes/turn', { box: id, round })
    if (status === 200) turned = round
    else {
      refused += 1
      t.match({ status, body }, { status: 409, body: { code: 'WRITE_CONFLICT' } })
    }
    const now = { left: turned, right: turned }
    t.match(await owner('GET', `/v1/boxes/boxes/${id}`), { body: now }, `after round ${round}`)
  }
  const counted = `SELECT
    (SELECT count(*)::int FROM plugin_boxes.slip) AS slips,
    (SELECT count(*)::int FROM kernel.audit WHERE module = 'boxes' AND action = 'update') AS changes,
    (SELECT version FROM plugin_boxes.box) AS version`
  const { rows } = await database.admin.query(counted)
  const rounds = 12 - refused
  t.same(
    rows,
    [{ slips: rounds, changes: 2 * rounds, version: 1 + 2 * rounds }],
    'nothing of what was refused',
  )
})
