import t from 'tap'
import { sourcePositions } from './source-positions.ts'

const good = { version: 3, sources: ['src/a.ts'], names: [], mappings: 'AAAA;AACA' }
const thrown = 'Error: x\n    at run (plinth:plugin:2:1)'

async function explained(map: unknown): Promise<{ text: string; warnings: string[] }> {
  const warnings: string[] = []
  const read = async () => (typeof map === 'string' ? map : JSON.stringify(map))
  const positions = sourcePositions(read, (reason) => warnings.push(reason))
  await positions.explain(thrown)
  return { text: await positions.explain(thrown), warnings }
}

t.test('a position in the bundle becomes one in the source', async (t) => {
  t.same(await explained(good), { text: 'Error: x\n    at run (src/a.ts:2:1)', warnings: [] })
})

t.test('without a map, and where the map knows nothing, a text stays as it is', async (t) => {
  t.equal(await sourcePositions(undefined, t.fail).explain(thrown), thrown)
  t.equal(await sourcePositions(async () => undefined, t.fail).explain(thrown), thrown)
  for (const text of ['plinth:plugin:999:1', 'plinth:plugin:0:0', 'plinth:plugin:99999999999:1', 'nothing']) {
    t.equal(await sourcePositions(async () => JSON.stringify(good), t.fail).explain(text), text)
  }
})

t.test('a hostile map is ignored, with one warning', async (t) => {
  for (const [what, map] of [
    ['no JSON', '{'],
    ['no object', '[]'],
    ['another version', { ...good, version: 2 }],
    ['no mappings', { ...good, mappings: 3 }],
    ['mappings that are none', { ...good, mappings: 'AAAA;\u0000' }],
    ['mappings without an end', { ...good, mappings: 'A'.repeat(5_000_000) }],
    ['mappings of many lines', { ...good, mappings: ';'.repeat(200_001) }],
    ['sources of another type', { ...good, sources: [{ toString: 'x' }] }],
    ['no sources', { ...good, sources: undefined }],
    ['many sources', { ...good, sources: Array.from({ length: 10_001 }, () => 'a') }],
    ['sections', { version: 3, sections: [{ offset: { line: 0, column: 0 }, map: good }] }],
    ['too much', ' '.repeat(8 * 1024 * 1024 + 1)],
    ['a deep nest', '['.repeat(100_000)],
  ] as const) {
    const { text, warnings } = await explained(map)
    t.equal(text, thrown, what)
    t.equal(warnings.length, 1, what)
  }
})

t.test('what a map gives as a name is printed only when it is a path', async (t) => {
  for (const source of ['a\nFATAL forged line', 'x'.repeat(400), '\u001b[31mred']) {
    t.equal((await explained({ ...good, sources: [source] })).text, thrown)
  }
})
