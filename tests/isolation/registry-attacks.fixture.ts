// Attacks by what a registry says and does, and packages that the operator's rules refuse.
import { type FrontRequest, integrityOf, type Packument } from '../support/npm-registry.ts'
import type { Attack, Hostile } from '../support/package-lab.ts'

type Front = NonNullable<Hostile['front']>

/** A front that changes the packument. */
const packument =
  (change: (packument: Packument, host: string) => unknown): Front =>
  async ({ path, request, response, behind }) => {
    if (path.includes('/-/')) return false
    const real: Packument = JSON.parse((await behind()).body.toString())
    response.end(JSON.stringify(change(real, `http://${request.headers.host}`)))
    return true
  }
const everyVersion = (change: (version: Packument['versions'][string], host: string) => unknown) =>
  packument((real, host) => {
    for (const version of Object.values(real.versions)) change(version, host)
    return real
  })
const atTarball =
  (answer: (asked: FrontRequest) => void): Front =>
  (asked) => {
    if (!asked.path.endsWith('.tgz')) return false
    answer(asked)
    return true
  }
export const redirectTo = (location: string) =>
  atTarball(({ response }) => response.writeHead(302, { location }).end())

export const policies: readonly Attack[] = [
  {
    attack: 'a hash that the registry made up',
    defence: 'packageIntegrity',
    expected: 'integrity',
    hostile: {
      front: everyVersion(({ dist }) => {
        dist['integrity'] = integrityOf(Buffer.from('other'))
      }),
    },
  },
  {
    attack: 'another archive under the same hash',
    defence: 'packageIntegrity',
    expected: 'integrity',
    hostile: {
      front: async ({ path, response, behind }) => {
        if (!path.endsWith('.tgz')) return false
        // The same files, in an archive that has another byte at its end.
        response.end(Buffer.concat([(await behind()).body, Buffer.from([0])]))
        return true
      },
    },
  },
  {
    attack: 'an archive that was changed after it was pinned',
    defence: 'packageIntegrity',
    expected: 'integrity',
    hostile: { request: { integrity: integrityOf(Buffer.from('as it was')) } },
  },
  {
    attack: 'sha1 alone',
    expected: 'integrity',
    hostile: {
      front: everyVersion(({ dist }) => {
        delete dist['integrity']
      }),
    },
  },
  {
    attack: 'two hashes to choose from',
    expected: 'integrity',
    hostile: {
      front: everyVersion(({ dist }) => {
        dist['integrity'] = `${integrityOf(Buffer.from('other'))} ${dist['integrity']}`
      }),
    },
  },
  { attack: 'a version of today', expected: 'too-young', hostile: { request: { minAgeDays: 7 } } },
  {
    attack: 'a version that hides its age',
    expected: 'too-young',
    hostile: { request: { minAgeDays: 7 }, front: packument((real) => ({ ...real, time: undefined })) },
  },
  {
    attack: 'a deprecated version',
    expected: 'deprecated',
    hostile: { publication: { document: { deprecated: 'has a hole' } } },
  },
  {
    attack: 'a deprecation that cannot be made a text',
    expected: 'deprecated',
    hostile: { publication: { document: { deprecated: { toString: 1 } } } },
  },
  {
    attack: 'a package of a scope that is not allowed',
    expected: 'not-allowed',
    hostile: { request: { allow: ['@plinth/*', '@acme2/*', 'acme'] } },
  },
  {
    attack: 'no signature where one is required',
    expected: 'signature',
    hostile: { request: { require: ['signatures'] } },
  },
  {
    attack: 'no provenance where it is required',
    expected: 'provenance',
    hostile: { request: { require: ['provenance'] } },
  },
  ...['../../etc/passwd', '@acme/..', 'Notes', 'a b', '-/npm/v1/keys', '__proto__/x', 'notes@npm:other'].map(
    (name) => ({
      attack: `the name '${name}'`,
      expected: 'name',
      hostile: { request: { name } },
    }),
  ),
]

const statement = (subject: object): string =>
  Buffer.from(
    JSON.stringify({ predicateType: 'https://slsa.dev/provenance/v1', subject: [subject] }),
  ).toString('base64')

/** A registry that has these attestations of what was published last. */
const attesting = (attestations: (version: string, sha512: string) => unknown): Front => {
  let version = ''
  let sha512 = ''
  return async (asked) => {
    if (asked.path.startsWith('/-/npm/v1/attestations/')) {
      asked.response.end(JSON.stringify(attestations(version, sha512)))
      return true
    }
    return await everyVersion((one) => {
      version = one.version
      sha512 = Buffer.from(String(one.dist['integrity']).slice(7), 'base64').toString('hex')
      one.dist['attestations'] = { url: 'https://elsewhere.test/-/npm/v1/attestations/x' }
    })(asked)
  }
}
const attested = (payload: string) => ({
  attestations: [
    {
      predicateType: 'https://slsa.dev/provenance/v1',
      bundle: {
        mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
        dsseEnvelope: {
          payload,
          payloadType: 'application/vnd.in-toto+json',
          signatures: [{ sig: 'AAAA', keyid: '' }],
        },
        verificationMaterial: {},
      },
    },
  ],
})
const purl = (version: string) => `pkg:npm/%40acme/notes@${version}`

export const provenance = (cacheFolder: string): readonly Attack[] => [
  {
    attack: 'attestations that are garbage',
    expected: 'provenance',
    hostile: { front: attesting(() => 'garbage') },
  },
  {
    attack: 'an attestation without a statement',
    expected: 'provenance',
    hostile: { front: attesting(() => attested('AAAA')) },
  },
  {
    attack: 'the provenance of another archive',
    expected: 'provenance',
    hostile: {
      front: attesting((version) =>
        attested(statement({ name: purl(version), digest: { sha512: 'ab'.repeat(64) } })),
      ),
    },
  },
  {
    attack: 'the provenance of another version',
    expected: 'provenance',
    hostile: {
      front: attesting((_, sha512) => attested(statement({ name: purl('0.0.1'), digest: { sha512 } }))),
    },
  },
  {
    attack: 'provenance required, and none among the attestations',
    expected: 'provenance',
    hostile: { front: attesting(() => ({ attestations: [] })), request: { require: ['provenance'] } },
  },
  {
    attack: 'provenance required, and nobody to ask whether it is true',
    expected: 'provenance',
    hostile: {
      front: attesting((version, sha512) => attested(statement({ name: purl(version), digest: { sha512 } }))),
      request: { require: ['provenance'], trust: { mirror: 'http://127.0.0.1:9/', cacheFolder } },
    },
  },
]

const forEver = (asked: FrontRequest, chunk: Buffer, everyMs: number): boolean => {
  const { response } = asked
  const timer = setInterval(() => response.write(chunk), everyMs)
  response.once('close', () => clearInterval(timer))
  return true
}

export const registries: readonly Attack[] = [
  {
    attack: 'a registry that hangs',
    expected: 'REGISTRY_UNAVAILABLE',
    hostile: { front: () => true, limits: { deadlineMs: 300 } },
  },
  {
    attack: 'a registry that drips',
    expected: 'REGISTRY_UNAVAILABLE',
    hostile: { front: (asked) => forEver(asked, Buffer.from(' '), 10), limits: { deadlineMs: 300 } },
  },
  {
    attack: 'a registry that talks for ever',
    expected: 'too-large',
    hostile: { front: (asked) => forEver(asked, Buffer.alloc(1_000_000, ' '), 1) },
  },
  {
    attack: 'an answer that says how large it is and lies',
    expected: 'REGISTRY_UNAVAILABLE',
    hostile: {
      front: ({ response }) => {
        response.writeHead(200, { 'content-length': 1_000 }).write('{}', () => response.destroy())
        return true
      },
    },
  },
  {
    attack: 'an answer that is zipped, as a bomb would be',
    expected: 'REGISTRY_UNAVAILABLE',
    hostile: {
      front: ({ response }) => {
        response.writeHead(200, { 'content-encoding': 'gzip' }).end('x')
        return true
      },
    },
  },
  {
    attack: 'more versions than anybody publishes',
    expected: 'too-large',
    hostile: {
      front: packument((real) => ({
        ...real,
        versions: Object.fromEntries(Array.from({ length: 20_001 }, (_, n) => [`1.${n}.0`, 1])),
      })),
    },
  },
  {
    attack: 'a list of versions that is none',
    expected: 'REGISTRY_UNAVAILABLE',
    hostile: { front: packument(() => []) },
  },
  {
    attack: 'the list of another package',
    expected: 'name',
    hostile: { front: packument((real) => ({ ...real, name: '@acme/other' })) },
  },
  {
    attack: 'a version that says it is another',
    expected: 'name',
    hostile: { front: everyVersion((version) => Object.assign(version, { version: '9.9.9' })) },
  },
  {
    attack: 'a version that is no version',
    expected: 'version',
    hostile: {
      front: everyVersion((version) => Object.assign(version, { dist: { tarball: '', signatures: [1] } })),
    },
  },
  {
    attack: 'versions in the prototype',
    expected: 'PACKAGE_NOT_FOUND',
    hostile: {
      front: packument((real) => ({
        ...real,
        versions: JSON.parse(`{"__proto__":${JSON.stringify(real.versions)}}`),
      })),
    },
  },
  {
    attack: 'a redirect to an inner address',
    expected: 'address',
    hostile: { front: redirectTo('http://127.0.0.1:9/x') },
  },
  {
    attack: 'a redirect to a cloud’s metadata',
    expected: 'address',
    hostile: { front: redirectTo('http://169.254.169.254/latest') },
  },
  {
    attack: 'a redirect to a file',
    expected: 'address',
    hostile: { front: redirectTo('file:///etc/passwd') },
  },
  {
    attack: 'a redirect in a circle',
    expected: 'address',
    hostile: {
      front: (asked) => {
        asked.response.writeHead(302, { location: asked.path }).end()
        return true
      },
    },
  },
  ...[
    ['http://127.0.0.1:9/x', 'address'],
    ['https://169.254.169.254/x', 'address'],
    ['https://[::1]/x', 'address'],
    ['https://2130706433/x', 'address'],
    ['https://user:word@packages.test/x', 'address'],
    ['file:///etc/passwd', 'address'],
    ['//', 'address'],
    ['https://localhost/x', 'REGISTRY_UNAVAILABLE'],
  ].map(([tarball = '', expected = '']) => ({
    attack: `an archive at ${tarball}`,
    expected,
    hostile: {
      front: everyVersion(({ dist }) => {
        dist['tarball'] = tarball
      }),
    },
  })),
]
