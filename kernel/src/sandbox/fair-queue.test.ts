import fc from 'fast-check'
import t from 'tap'
import { FairQueue, type Leave } from './fair-queue.ts'

const limits = { perPlugin: 4, perTenant: 2, waitingPerTenant: 3, invocationsAtOnce: 12 }
const settled = () => new Promise((resolve) => setImmediate(resolve))

/** Enters, and writes down who came in, in order. */
function door(queue: FairQueue) {
  const inside: { id: string; leave: Leave }[] = []
  const refused: string[] = []
  const enter = async (id: string, waitMs = 60_000) => {
    const leave = await queue.enter(id, waitMs)
    if (leave) inside.push({ id, leave })
    else refused.push(id)
  }
  const drain = async () => {
    for (await settled(); inside.length > 0; await settled()) inside.pop()?.leave()
  }
  return { inside, refused, enter, drain }
}

t.test('a tenant has a few places, and another comes in past those who wait for one of his', async (t) => {
  const { inside, enter, drain } = door(new FairQueue(limits))
  for (const id of ['a', 'a', 'a', 'a', 'b']) void enter(id)
  await settled()
  t.same(
    inside.map(({ id }) => id),
    ['a', 'a', 'b'],
  )
  for (const one of inside.splice(0)) one.leave()
  await settled()
  t.same(
    inside.map(({ id }) => id),
    ['a', 'a'],
  )
  await drain()
})

t.test('tenants take turns', async (t) => {
  const { inside, enter } = door(new FairQueue({ ...limits, perPlugin: 1 }))
  for (const id of ['x', 'a', 'a', 'a', 'b', 'b', 'c']) void enter(id)
  const order: string[] = []
  for (let turn = 0; turn < 7; turn += 1) {
    await settled()
    const one = inside.pop()
    order.push(one?.id ?? 'nobody')
    one?.leave()
  }
  t.same(order, ['x', 'a', 'b', 'c', 'a', 'b', 'a'])
})

t.test('who has too many waiting is refused, and so is who has waited too long', async (t) => {
  const { inside, refused, enter } = door(new FairQueue(limits))
  for (let n = 0; n < 6; n += 1) void enter('a', 20)
  await settled()
  t.same(refused, ['a'], 'two are inside, three wait')
  await new Promise((resolve) => setTimeout(resolve, 60))
  t.equal(refused.length, 4)
  for (const { leave } of inside.splice(0)) leave()
  await settled()
  t.same(inside, [], 'a place is not given to somebody who has left')
})

t.test('when all places to wait are taken, they are taken from who has most', async (t) => {
  const queue = new FairQueue({ ...limits, waitingPerTenant: 100 })
  const { refused, enter, drain } = door(queue)
  for (let n = 0; n < 12; n += 1) void enter('storm')
  for (const id of ['b', 'b', 'b']) void enter(id)
  await settled()
  t.same(refused, ['storm'], 'the third of b has to wait')
  t.equal(queue.inside + queue.waiting, 14)
  await drain()
})

t.test('however tenants come and go, no bound is passed and nobody waits while he has a place', async () => {
  const step = fc.record({ tenant: fc.constantFrom('a', 'b', 'c', 'd'), leaves: fc.boolean() })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const queue = new FairQueue(limits)
      const { inside, refused, enter, drain } = door(queue)
      for (const { tenant, leaves } of steps) {
        if (leaves) inside.splice(0, 1)[0]?.leave()
        else void enter(tenant)
        await settled()
        const of = (id: string) => inside.filter((one) => one.id === id).length
        if (queue.inside > limits.perPlugin || queue.inside !== inside.length)
          throw new Error('too many inside')
        if (['a', 'b', 'c', 'd'].some((id) => of(id) > limits.perTenant)) throw new Error('unfair')
        if (queue.inside + queue.waiting > limits.invocationsAtOnce) throw new Error('too many at once')
      }
      await drain()
      const entered = steps.filter(({ leaves }) => !leaves).length
      if (queue.waiting !== 0 || queue.inside !== 0) throw new Error(`left waiting: ${queue.waiting}`)
      if (refused.length > entered) throw new Error('refused more than came')
    }),
  )
})
