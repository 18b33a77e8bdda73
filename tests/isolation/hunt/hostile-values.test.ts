// Texts that no database holds, numbers and moments out of every range, lists where there is one: no answer is a 5xx.
import t from 'tap'
import { sendHostile } from './run-hostile.ts'
import { setScene } from './scene.ts'

const seed = Number(process.env['HUNT_SEED'] ?? 20_261_121)
const calls = Number(process.env['HOSTILE_CALLS'] ?? 1_000)

t.test('whatever stands in a request, no answer of any route is a 5xx', async (t) => {
  const scene = await setScene(t, seed)
  const kernel = await scene.open([])
  const { answers, failures, seconds } = await sendHostile(kernel, scene, {
    seed,
    calls,
    print: (line) => t.comment(line),
  })
  t.comment(`seed ${seed}: ${calls} calls in ${seconds.toFixed(1)} s`)
  t.comment([...answers].map(([status, times]) => `${times} times ${status}`).join(', '))
  t.same(failures, [])
})
