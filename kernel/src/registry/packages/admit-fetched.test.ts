// Admission asks twice, in two hosts, and closes both.
import t from 'tap'
import { notes } from '../../../../tests/support/package-archive.ts'
import { admitFetched } from './admit-fetched.ts'

const fetched = {
  package: '@acme/notes',
  version: '1.0.0',
  integrity: 'sha512-x',
  bundle: '',
  manifest: JSON.stringify(notes),
  migrations: [],
  sdkRange: '^0.1.0',
  provenance: 'absent',
  signatures: 'absent',
} as const

/** Hosts that answer with these, one after the other. */
function hostsSaying(...manifests: readonly object[]) {
  const waiting = [...manifests]
  const counts = { started: 0, closed: 0 }
  const startHost = async () => {
    counts.started += 1
    const manifest: unknown = waiting.shift()
    return {
      describe: async () => manifest,
      close: async () => {
        counts.closed += 1
      },
    }
  }
  return { counts, parts: { startHost, owners: new Map<string, string>() } }
}

t.test('a plugin that says the same twice is admitted, with its manifest as it was parsed', async (t) => {
  const { counts, parts } = hostsSaying(notes, structuredClone(notes))
  t.same(await admitFetched(fetched, parts), { manifest: notes, migrations: [] })
  t.same(counts, { started: 2, closed: 2 })
})

t.test('a plugin that says another thing the second time is refused', async (t) => {
  for (const second of [{ ...notes, title: 'other' }, Object.fromEntries(Object.entries(notes).reverse())]) {
    const { counts, parts } = hostsSaying(notes, second)
    await t.rejects(admitFetched(fetched, parts), {
      code: 'PACKAGE_REFUSED',
      data: { reason: 'manifest', detail: /each time it is asked/ },
    })
    t.same(counts, { started: 2, closed: 2 })
    await t.resolves(admitFetched(fetched, hostsSaying(notes, second).parts, new Set(['manifestCompare'])))
  }
})

t.test('what a plugin says of itself when it fails is short and plain', async (t) => {
  const startHost = async () => {
    throw new Error(`threw \u001b[2J\u202e${'x'.repeat(10_000)}`)
  }
  const error: unknown = await admitFetched(fetched, { startHost, owners: new Map() }).catch(
    (e: unknown) => e,
  )
  const text = error instanceof Error ? error.message : ''
  t.match(text, /Asked in a sandbox, it threw/)
  t.ok(text.length < 1_200)
  t.notMatch(text, /\p{C}/u)
})
