import t from 'tap'
import { encodeFrame, FrameDecoder, ProtocolViolation } from './codec.ts'

const limits = { frameBytes: 1_000, headerBytes: 100 }

function decoder() {
  const frames: [string, string][] = []
  return {
    frames,
    decoder: new FrameDecoder(limits, (header, body) => frames.push([header, body.toString()])),
  }
}

t.test('frames come out as they went in, however the bytes are cut', async (t) => {
  const bytes = Buffer.concat([
    encodeFrame({ type: 'a' }, ''),
    encodeFrame({ type: 'b' }, '{"text":"grüße, 会計 🧾"}'),
    encodeFrame({ type: 'c' }, 'x'.repeat(800)),
  ])
  for (const size of [1, 2, 3, 4, 5, 7, 64, bytes.length]) {
    const { frames, decoder: it } = decoder()
    for (let at = 0; at < bytes.length; at += size) it.push(bytes.subarray(at, at + size))
    t.same(
      frames,
      [
        ['{"type":"a"}', ''],
        ['{"type":"b"}', '{"text":"grüße, 会計 🧾"}'],
        ['{"type":"c"}', 'x'.repeat(800)],
      ],
      `in pieces of ${size}`,
    )
  }
})

t.test('a length out of bounds is refused before anything is kept for it', async (t) => {
  for (const size of [0, 3, 1_001, 0x7fffffff, 0xffffffff]) {
    const prefix = Buffer.alloc(8)
    prefix.writeUInt32BE(size, 0)
    t.throws(() => decoder().decoder.push(prefix), ProtocolViolation, `${size} at once`)
    const { decoder: slow } = decoder()
    t.throws(
      () => {
        for (const byte of prefix) slow.push(Buffer.of(byte))
      },
      ProtocolViolation,
      `${size} byte by byte`,
    )
  }
})

t.test('a header longer than its frame, or than headers are, is refused', async (t) => {
  for (const [frameBytes, headerBytes] of [
    [10, 7],
    [200, 101],
    [4, 0xffffffff],
  ] as const) {
    const frame = Buffer.alloc(4 + frameBytes)
    frame.writeUInt32BE(frameBytes, 0)
    frame.writeUInt32BE(headerBytes, 4)
    t.throws(() => decoder().decoder.push(frame), ProtocolViolation)
  }
})

t.test('many small pieces of a large frame cost no more than the frame', async (t) => {
  const frames: number[] = []
  const it = new FrameDecoder({ frameBytes: 3_000_000, headerBytes: 100 }, (_, body) =>
    frames.push(body.length),
  )
  const bytes = encodeFrame({}, 'x'.repeat(2_000_000))
  const started = performance.now()
  for (let at = 0; at < bytes.length; at += 10) it.push(bytes.subarray(at, at + 10))
  t.same(frames, [2_000_000])
  t.ok(performance.now() - started < 2_000, 'in time that grows with its size and not its square')
})
