// Attacks by what a registry says and does, and packages that the operator's rules refuse.
import { createServer } from 'node:http'
import t from 'tap'
import { integrityOf, listenOnLoopback } from '../support/npm-registry.ts'
import { attackWith, startPackageLab } from '../support/package-lab.ts'
import { policies, provenance, redirectTo, registries } from './registry-attacks.fixture.ts'

t.test('a package', (t) => attackWith(t, policies))
t.test('provenance', (t) => attackWith(t, provenance(t.testdir())))
t.test('a registry', (t) => attackWith(t, registries))

t.test('nobody but the registry is asked, and nobody else is told the token', async (t) => {
  const lab = await startPackageLab(t)
  const seen: string[] = []
  const inner = await listenOnLoopback(
    t,
    createServer((request, response) => {
      seen.push(request.url ?? '')
      response.end()
    }),
  )
  const redirecting = { front: redirectTo(`${inner}/secret`) }
  await t.rejects(lab.fetch(redirecting), { code: 'PACKAGE_REFUSED', data: { reason: 'address' } })
  t.same(seen, [])
})

t.test('a tag that was moved', async (t) => {
  const lab = await startPackageLab(t)
  const first = await lab.fetch({ request: { version: 'latest' } })
  const pinned = { version: 'latest', integrity: first.integrity }
  await t.rejects(lab.fetch({ request: pinned }), {
    code: 'PACKAGE_REFUSED',
    data: { reason: 'integrity' },
  })
})

t.test('a version that was published again with other bytes', async (t) => {
  const lab = await startPackageLab(t)
  const known = new Map([
    ['1.0.1', integrityOf(Buffer.from('before'))],
    ['1.0.2', integrityOf(Buffer.from('before'))],
  ])
  const refused = { code: 'PACKAGE_REFUSED', data: { reason: 'integrity' } }
  await t.rejects(lab.fetch({ request: { known } }), refused)
  await t.resolves(lab.fetch({ request: { known } }, new Set(['packageIntegrity'])))
})
