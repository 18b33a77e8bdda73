import t from 'tap'
import { Circuit } from './circuit.ts'

const limits = { kills: 3, withinMs: 60, openMs: 30, longestOpenMs: 100, quietMs: 500 }

function atTime() {
  const clock = { now: 1_000 }
  const circuit = new Circuit(limits, () => clock.now)
  const die = (times: number) => Array.from({ length: times }, () => circuit.record()).at(-1)
  return { clock, circuit, die }
}

t.test('it opens at the death that is one too many, and closes by itself', async (t) => {
  const { clock, circuit, die } = atTime()
  t.equal(die(2), 0)
  t.equal(circuit.openForMs, 0)
  t.equal(die(1), 30)
  t.equal(circuit.openForMs, 30)
  clock.now += 31
  t.equal(circuit.openForMs, 0)
  t.equal(circuit.recentDeaths, 0)
})

t.test('deaths of long ago do not count', async (t) => {
  const { clock, die } = atTime()
  die(2)
  clock.now += 61
  t.equal(die(1), 0)
})

t.test('each opening is twice as long up to a bound, and after a quiet time it is short again', async (t) => {
  const { clock, circuit, die } = atTime()
  const lengths = [1, 2, 3, 4].map(() => {
    const opened = die(3)
    clock.now += circuit.openForMs + 1
    return opened
  })
  t.same(lengths, [30, 60, 100, 100])
  clock.now += 499
  t.equal(die(3), 100, 'not yet quiet for long enough')
  clock.now += circuit.openForMs + 501
  t.equal(die(3), 30)
})
