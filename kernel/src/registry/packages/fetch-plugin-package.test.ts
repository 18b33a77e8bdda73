// Fetching a plugin from a real registry: what comes back, and how a version, a key or a date decides.
import { generateKeyPairSync, sign } from 'node:crypto'
import t from 'tap'
import {
  integrityOf,
  startFront,
  startLyingFront,
  startRegistry,
  type TestRegistry,
} from '../../../../tests/support/npm-registry.ts'
import {
  archiveOf,
  type MadePackage,
  notes,
  packageEntries,
} from '../../../../tests/support/package-archive.ts'
import { fetchPluginPackage, type PackageRequest } from './fetch-plugin-package.ts'

const name = '@acme/notes'

const refused = (reason: string) => ({ code: 'PACKAGE_REFUSED', data: { reason } })

async function publish(registry: TestRegistry, version: string, made: MadePackage = {}): Promise<string> {
  return registry.publish({ name, version, tarball: archiveOf(packageEntries({ ...made, version })) })
}

t.test('a package from a registry', async (t) => {
  const registry = await startRegistry(t)
  const first = await publish(registry, '1.0.0')
  const second = await publish(registry, '1.1.0', {
    files: { 'migrations/0001-first.json': '{"operations":[]}' },
  })
  const fetching = (version: string, rest: Partial<PackageRequest> = {}) =>
    fetchPluginPackage({ registry: { url: registry.url }, name, version, ...rest })

  await t.test('is the bundle, the manifest and the migrations as they were shipped', async (t) => {
    const found = await fetching('1.1.0')
    t.match(found, {
      package: name,
      version: '1.1.0',
      integrity: second,
      manifest: JSON.stringify(notes),
      bundle: /__plinthPlugin/,
      migrations: [{ name: '0001-first', text: '{"operations":[]}' }],
      sdkRange: '^0.1.0',
      signatures: 'absent',
      provenance: 'absent',
    })
    t.ok(found.publishedAt && Date.now() - found.publishedAt.getTime() < 60_000)
  })

  await t.test('is named by a version, a range or a tag, and the answer is exact', async (t) => {
    t.match(await fetching('1.0.0'), { version: '1.0.0', integrity: first })
    t.match(await fetching('^1.0.0'), { version: '1.1.0' })
    t.match(await fetching('~1.0'), { version: '1.0.0' })
    t.match(await fetching('latest'), { version: '1.1.0' })
    for (const version of ['2.0.0', '^2', 'next', '__proto__', 'constructor']) {
      await t.rejects(fetching(version), { code: 'PACKAGE_NOT_FOUND', status: 404 }, version)
    }
    await t.rejects(fetching('1.0.0', { name: '@acme/nothing' }), { code: 'PACKAGE_NOT_FOUND' })
  })

  await t.test('waits as long as the operator says', async (t) => {
    const tomorrow = new Date(Date.now() + 25 * 3_600_000)
    t.match(await fetching('1.0.0', { minAgeDays: 1, now: tomorrow }), { version: '1.0.0' })
    await t.rejects(fetching('1.0.0', { minAgeDays: 2, now: tomorrow }), {
      code: 'PACKAGE_REFUSED',
      data: { reason: 'too-young', detail: /^It may be installed from \d{4}-\d\d-\d\dT/ },
    })
  })

  await t.test('takes the token with each request to its own host', async (t) => {
    const seen: (string | undefined)[] = []
    const front = await startFront(t, registry, ({ request }) => {
      seen.push(request.headers.authorization)
      return false
    })
    await fetching('1.0.0', { registry: { url: `${front}/`, token: 'secret' } })
    t.same(seen, ['Bearer secret', 'Bearer secret'], 'the packument and the archive')
  })

  await t.test('says what is wrong with the address of a registry', async (t) => {
    for (const url of [
      'nothing',
      'ftp://127.0.0.1',
      'http://192.0.2.1',
      'http://a:b@127.0.0.1/',
      'http://127.0.0.1/?a',
    ]) {
      await t.rejects(
        fetching('1.0.0', { registry: { url } }),
        { code: 'REGISTRY_UNAVAILABLE', status: 503 },
        url,
      )
    }
    const gone = await startFront(t, registry, ({ response }) => {
      response.writeHead(500).end()
      return true
    })
    await t.rejects(fetching('1.0.0', { registry: { url: gone } }), {
      code: 'REGISTRY_UNAVAILABLE',
      message: /500/,
    })
  })
})

t.test('a signature', async (t) => {
  const registry = await startRegistry(t)
  const integrity = await publish(registry, '1.0.0')
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const key = publicKey.export({ format: 'der', type: 'spki' }).toString('base64')
  const keyid = 'SHA256:test'
  const signed = (text: string) => sign('sha256', Buffer.from(text), privateKey).toString('base64')

  /** A registry that serves this key and this signature. */
  const signing = (sig: string, keys: unknown = { keys: [{ keyid, key, expires: null }] }) =>
    startFront(t, registry, async ({ path, response, behind }) => {
      if (path === '/-/npm/v1/keys') {
        if (keys === undefined) response.writeHead(404).end()
        else response.end(JSON.stringify(keys))
        return true
      }
      if (path.includes('/-/')) return false
      const packument = JSON.parse((await behind()).body.toString())
      packument.versions['1.0.0'].dist.signatures = [{ keyid, sig }]
      response.end(JSON.stringify(packument))
      return true
    })
  const good = signed(`${name}@1.0.0:${integrity}`)
  const fetching = (url: string, rest: Partial<PackageRequest> = {}) =>
    fetchPluginPackage({ registry: { url }, name, version: '1.0.0', ...rest })

  await t.test(
    'of the registry is verified with its keys, or with those that the operator pinned',
    async (t) => {
      const url = await signing(good)
      t.match(await fetching(url), { signatures: 'verified' })
      t.match(await fetching(url, { require: ['signatures'] }), { signatures: 'verified' })
      t.match(await fetching(url, { registry: { url, keys: [{ keyid, key }] } }), { signatures: 'verified' })
      const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey
      const pinned = other.export({ format: 'der', type: 'spki' }).toString('base64')
      await t.rejects(
        fetching(url, { registry: { url, keys: [{ keyid, key: pinned }] } }),
        refused('signature'),
      )
    },
  )

  await t.test('that is wrong refuses the package', async (t) => {
    for (const [what, sig, keys] of [
      ['of another version', signed(`${name}@1.0.1:${integrity}`), undefined],
      ['of another archive', signed(`${name}@1.0.0:${integrityOf(Buffer.from('x'))}`), undefined],
      ['that is none', 'nonsense', undefined],
      ['with a key that had expired', good, { keys: [{ keyid, key, expires: '2020-01-01T00:00:00.000Z' }] }],
      ['with a key that the registry does not have', good, { keys: [{ keyid: 'other', key }] }],
      ['with a key that is none', good, { keys: [{ keyid, key: 'AAAA' }] }],
    ] as const) {
      const url = await (keys === undefined ? signing(sig) : signing(sig, keys))
      await t.rejects(fetching(url), refused('signature'), what)
    }
  })

  await t.test('that cannot be looked up counts as none', async (t) => {
    for (const keys of [{}, { keys: [] }, 'nonsense']) {
      const url = await signing(good, keys)
      t.match(await fetching(url), { signatures: 'absent' })
      await t.rejects(fetching(url, { require: ['signatures'] }), refused('signature'))
    }
    const empty = await startLyingFront(t, registry, (packument) => {
      for (const version of Object.values(packument.versions)) version.dist['signatures'] = []
      return packument
    })
    await t.rejects(fetching(empty, { require: ['signatures'] }), refused('signature'), 'an empty list')
  })
})
