import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { RequestTurns } from './request-turns.ts'

const limits = { perTenant: 2, inAll: 6, aloneAfterMs: 200 }

function openTurns() {
  const turns = new RequestTurns(limits, new Set())
  const inside: Record<string, number> = {}
  const ends: (() => void)[] = []
  const ask = (tenant: string) => {
    turns.saw(tenant)
    return turns.run(tenant, async () => {
      inside[tenant] = (inside[tenant] ?? 0) + 1
      await new Promise<void>((end) => ends.push(end))
      inside[tenant] -= 1
    })
  }
  const storm = (tenant: string) => Promise.all(Array.from({ length: 10 }, () => ask(tenant)))
  const endAll = async (asked: readonly Promise<unknown>[]) => {
    let isOver = false
    const over = Promise.all(asked).then(() => {
      isOver = true
    })
    while (!isOver) {
      for (const end of ends.splice(0)) end()
      await sleep(1)
    }
    await over
  }
  return { turns, inside, ask, storm, endAll }
}

t.test('beside another tenant a storm has its few places, and the other has his', async (t) => {
  const { inside, ask, storm, endAll } = openTurns()
  const asked: Promise<unknown>[] = [ask('calm'), storm('storm')]
  await sleep(1)
  t.same(inside, { calm: 1, storm: 2 })
  asked.push(ask('calm'))
  await sleep(1)
  t.same(inside, { calm: 2, storm: 2 })
  await endAll(asked)
  t.same(inside, { calm: 0, storm: 0 })
})

t.test('who has been alone for a while waits for nobody, until somebody else asks', async (t) => {
  const { turns, inside, ask, storm, endAll } = openTurns()
  const first = ask('storm')
  await sleep(limits.aloneAfterMs + 50)
  const asked: Promise<unknown>[] = [first, storm('storm')]
  await sleep(1)
  t.same(inside, { storm: limits.inAll }, 'as many as there are places for all')
  await endAll(asked)
  turns.saw('calm')
  const more = storm('storm')
  await sleep(1)
  t.same(inside, { storm: 2 }, 'also beside one who asks for what enters a plugin')
  await endAll([more])
})
