import { PassThrough } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { FrameDecoder } from './codec.ts'
import { FrameWriter } from './frame-writer.ts'

function writer(isShared = true) {
  const stream = new PassThrough()
  const writes: Buffer[] = []
  const frames: string[] = []
  const decoder = new FrameDecoder({ frameBytes: 2 ** 20, headerBytes: 100 }, (header, body) =>
    frames.push(`${header} ${body.length}`),
  )
  stream.on('data', (chunk: Buffer) => {
    writes.push(chunk)
    decoder.push(chunk)
  })
  return { writer: new FrameWriter(stream, () => isShared), writes, frames }
}

t.test('what is said in one turn goes out in one write, in its order', async (t) => {
  const { writer: it, writes, frames } = writer()
  it.send({ n: 1 }, 'a')
  it.send({ n: 2 }, 'grüße')
  await Promise.resolve()
  it.send({ n: 3 }, '')
  t.same(writes, [])
  await setImmediate()
  t.equal(writes.length, 1)
  t.same(frames, ['{"n":1} 1', '{"n":2} 7', '{"n":3} 0'])
  it.send({ n: 4 }, '')
  await setImmediate()
  t.equal(frames.length, 4)
})

t.test('last words and a flood do not wait for the end of the turn', async (t) => {
  const { writer: it, frames } = writer()
  it.send({ n: 1 }, '')
  it.send({ n: 2 }, '')
  it.flush()
  t.equal(frames.length, 2)
  for (let n = 0; n < 20; n += 1) it.send({ n }, 'x'.repeat(10_000))
  t.equal(frames.length, 16)
  await setImmediate()
  t.equal(frames.length, 22)
})

t.test('who is alone waits for nobody', async (t) => {
  const { writer: it, frames } = writer(false)
  it.send({ n: 1 }, '')
  t.equal(frames.length, 1)
  await setImmediate()
  t.equal(frames.length, 1)
})
