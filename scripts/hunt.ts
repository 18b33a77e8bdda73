// The hunt of tests/isolation/hunt for as long as one likes: `node scripts/hunt.ts --calls 1000000 --seed 7`.
import { parseArgs } from 'node:util'
import { hunt, unanswered } from '../tests/isolation/hunt/run-hunt.ts'
import { setScene } from '../tests/isolation/hunt/scene.ts'

const { values } = parseArgs({
  options: { calls: { type: 'string', default: '1000000' }, seed: { type: 'string' } },
})
const calls = Number(values.calls)
const seed = Number(values.seed ?? Math.floor(Math.random() * 10_000_000))
if (!Number.isSafeInteger(calls) || !Number.isSafeInteger(seed) || calls < 1)
  throw new Error('Say how many calls: node scripts/hunt.ts --calls 1000000 --seed 7')

const endings: (() => unknown)[] = []
try {
  const scene = await setScene({ teardown: (work: () => unknown) => endings.push(work) }, seed)
  const kernel = await scene.open([])
  console.log(`seed ${seed}`)
  const report = await hunt(kernel, scene, { seed, calls, print: (line) => console.log(line) })
  for (const [key, { ok, all }] of [...report.routes].sort()) console.log(`${ok} of ${all} answered: ${key}`)
  for (const key of unanswered(report)) console.log(`never answered: ${key}`)
  for (const { what, call } of report.findings) console.log(`FOUND ${what}\n    ${call}`)
  console.log(
    `seed ${seed}: ${report.calls} calls in ${report.seconds.toFixed(1)} s, ${report.findings.length} findings`,
  )
  process.exitCode = report.findings.length > 0 || unanswered(report).length > 0 ? 1 : 0
} finally {
  for (const end of endings.reverse()) await end()
}
