// Members changed at the same moment: whatever the order, a tenant keeps an owner, and nobody acts on a role he has lost.
import t from 'tap'
import { testKernel } from '../support/kernel.ts'
import { someoneWaitsForALock } from '../support/waiting.ts'

t.test('members that are changed at once', async (t) => {
  const kernel = await testKernel(t)
  const { admin } = kernel.database
  const membersOf = async (tenant: string) => {
    const { rows } = await admin.query<{ user_id: string; role: string }>(
      'select user_id, role from kernel.membership where tenant_id = $1 order by created_at',
      [tenant],
    )
    return rows
  }
  const ownersOf = async (tenant: string) =>
    (await membersOf(tenant)).filter(({ role }) => role === 'owner').length

  await t.test('a member who becomes the only owner meanwhile is not removed as a member', async (t) => {
    const tenant = await kernel.openTenant()
    const manager = await kernel.addMember(tenant, 'admin')
    await kernel.addMember(tenant, 'member')
    const members = await membersOf(tenant.id)
    const [owner, , member] = members.map(({ user_id }) => user_id)
    await admin.query('begin')
    await admin.query(
      `update kernel.membership set role = case user_id when $2 then 'owner' else 'member' end
        where tenant_id = $1 and user_id in ($2, $3)`,
      [tenant.id, member, owner],
    )
    const removing = manager('DELETE', `/v1/tenant/members/${member}`)
    await someoneWaitsForALock(admin)
    await admin.query('commit')
    t.match(await removing, { status: 403, body: { code: 'FORBIDDEN' } })
    t.equal(await ownersOf(tenant.id), 1)
  })

  await t.test('who loses his role meanwhile does not act on it', async (t) => {
    const tenant = await kernel.openTenant()
    const other = await kernel.addMember(tenant, 'owner')
    const [first, second] = (await membersOf(tenant.id)).map(({ user_id }) => user_id)
    const replies = await Promise.all([
      tenant.owner('PATCH', `/v1/tenant/members/${second}`, { role: 'member' }),
      other('PATCH', `/v1/tenant/members/${first}`, { role: 'member' }),
    ])
    t.same(replies.map(({ status }) => status).sort(), [200, 403])
    t.equal(await ownersOf(tenant.id), 1)
  })

  await t.test('owners who leave, demote and make each other at once leave an owner', async (t) => {
    for (let round = 0; round < 8; round += 1) {
      const tenant = await kernel.openTenant()
      const people = [
        tenant.owner,
        await kernel.addMember(tenant, 'owner'),
        await kernel.addMember(tenant, 'admin'),
      ]
      const ids = (await membersOf(tenant.id)).map(({ user_id }) => user_id)
      const [first, second, third] = people
      if (!first || !second || !third) throw new Error('three people')
      const path = (index: number) => `/v1/tenant/members/${ids[index]}`
      await Promise.all([
        first('PATCH', path(2), { role: 'owner' }),
        first('DELETE', path(0)),
        second('PATCH', path(0), { role: 'member' }),
        second('DELETE', path(1)),
        third('DELETE', path(2)),
        third('PATCH', path(1), { role: 'member' }),
      ])
      t.ok((await ownersOf(tenant.id)) >= 1, `round ${round}`)
    }
  })
})
