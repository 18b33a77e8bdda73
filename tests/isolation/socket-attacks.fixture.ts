// Requests as bytes on a socket, for what no HTTP client sends: headers twice, two lengths, paths that nobody normalised.
import type { Place } from '../support/break-in.ts'

export interface SocketAttack {
  readonly attack: string
  readonly defence: string
  /** Of all that comes back. */
  readonly expected: RegExp
  /** Lines are joined with CR LF; `auth` is the enemy's own header. */
  readonly lines: (place: Place, auth: string) => readonly string[]
}

const own = 'Host: a'
const end = ['Connection: close', '', '']
const list = 'GET /v1/vault/secrets HTTP/1.1'
const quiet = '/v1/quiet/things'
const path = 'the first segment of a path is a module, letter by letter'
const parser = 'a request that can be read in two ways is refused'
const membership = 'membership'

const row = (
  attack: string,
  defence: string,
  expected: RegExp,
  lines: SocketAttack['lines'],
): SocketAttack => ({ attack, defence, expected, lines })
const get = (target: string, expected: RegExp): SocketAttack =>
  row(`the target ${target}`, path, expected, ({ enemy }, auth) => [
    `GET ${target} HTTP/1.1`,
    own,
    auth,
    `X-Tenant-ID: ${enemy.slug}`,
    ...end,
  ])
const withHeaders = (
  attack: string,
  defence: string,
  expected: RegExp,
  headers: (place: Place) => readonly string[],
): SocketAttack =>
  row(attack, defence, expected, (place, auth) => [list, own, auth, ...headers(place), ...end])

export const socketAttacks: readonly SocketAttack[] = [
  get('/v1/vault/../quiet/things', /^HTTP\/1\.1 404/),
  get('/v1/./quiet/things', /^HTTP\/1\.1 404/),
  get('/v1/vault/..%2fquiet/things', /^HTTP\/1\.1 404/),
  get('/v1/vault\\..\\quiet/things', /^HTTP\/1\.1 4/),
  get('//v1/quiet/things', /^HTTP\/1\.1 404/),
  get('http://elsewhere.example/v1/quiet/things', /^HTTP\/1\.1 40/),
  get('/v1/quiet/things#/v1/vault/secrets', /^HTTP\/1\.1 40/),
  get('/v1/quiet?/things', /^HTTP\/1\.1 404/),
  get('*', /^HTTP\/1\.1 40/),
  get('/v1/vault/secrets\0/v1/quiet', /^HTTP\/1\.1 400/),
  get('/v1/vault/%', /^HTTP\/1\.1 4/),
  get(quiet, /^HTTP\/1\.1 403/),
  withHeaders('two tenants, one’s own first', membership, /^HTTP\/1\.1 404/, ({ enemy, victim }) => [
    `X-Tenant-ID: ${enemy.slug}`,
    `X-Tenant-ID: ${victim.slug}`,
  ]),
  withHeaders('two tenants, one’s own last', membership, /^HTTP\/1\.1 404/, ({ enemy, victim }) => [
    `X-Tenant-ID: ${victim.slug}`,
    `X-Tenant-ID: ${enemy.slug}`,
  ]),
  withHeaders('a header with a space before its colon', parser, /^HTTP\/1\.1 400/, ({ victim }) => [
    `X-Tenant-ID : ${victim.slug}`,
  ]),
  withHeaders('a header that goes on in the next line', parser, /^HTTP\/1\.1 40/, ({ enemy, victim }) => [
    `X-Tenant-ID: ${enemy.slug}`,
    ` ${victim.slug}`,
  ]),
  withHeaders('a line break that is half one', parser, /^HTTP\/1\.1 40/, ({ enemy, victim }) => [
    `X-A: ${enemy.slug}\nX-Tenant-ID: ${victim.slug}`,
  ]),
  withHeaders('an underscore for a hyphen', membership, /^HTTP\/1\.1 200/, ({ enemy, victim }) => [
    `X-Tenant-ID: ${enemy.slug}`,
    `X_Tenant_ID: ${victim.slug}`,
  ]),
  withHeaders('who a proxy would say it is', membership, /^HTTP\/1\.1 200/, ({ enemy, victim }) => [
    `X-Tenant-ID: ${enemy.slug}`,
    `X-Forwarded-User: ${victim.slug}`,
    'X-Original-URL: /v1/quiet/things',
    'X-HTTP-Method-Override: DELETE',
  ]),
  withHeaders('a second bearer', 'a token is known or it is not', /^HTTP\/1\.1 (200|401)/, ({ enemy }) => [
    `X-Tenant-ID: ${enemy.slug}`,
    'Authorization: Bearer forged',
  ]),
  withHeaders('a header of 100 KB', 'headers are bounded', /^HTTP\/1\.1 431/, () => [
    `X-A: ${'a'.repeat(1e5)}`,
  ]),
  withHeaders('2,000 headers', 'headers are bounded', /^HTTP\/1\.1 (200|400|404|431)/, ({ enemy }) => [
    `X-Tenant-ID: ${enemy.slug}`,
    ...Array.from({ length: 2_000 }, (_, n) => `X-${n}: a`),
  ]),
  withHeaders('a length and chunks', parser, /^HTTP\/1\.1 400/, () => [
    'Content-Length: 5',
    'Transfer-Encoding: chunked',
  ]),
  withHeaders('two lengths', parser, /^HTTP\/1\.1 400/, () => ['Content-Length: 5', 'Content-Length: 0']),
  withHeaders('a length below zero', parser, /^HTTP\/1\.1 400/, () => ['Content-Length: -5']),
  row('a request in the body of another', parser, /^HTTP\/1\.1 (40|41)/, ({ enemy }, auth) => [
    'POST /v1/vault/secrets HTTP/1.1',
    own,
    auth,
    `X-Tenant-ID: ${enemy.slug}`,
    'Content-Type: application/json',
    'Transfer-Encoding: chunked',
    'Connection: close',
    '',
    '0x1',
    '{}',
    'GET /v1/quiet/things HTTP/1.1',
    own,
    auth,
    '',
    '',
  ]),
  row(
    'a second request behind the first',
    'each request climbs for itself',
    /200 OK[\s\S]*HTTP\/1\.1 404/,
    ({ enemy, victim }, auth) => [
      list,
      own,
      auth,
      `X-Tenant-ID: ${enemy.slug}`,
      '',
      list,
      own,
      auth,
      `X-Tenant-ID: ${victim.slug}`,
      ...end,
    ],
  ),
  row('another protocol', parser, /^(HTTP\/1\.1 400|$)/, () => ['PRI * HTTP/2.0', '', 'SM', '', '']),
  row('a method that nobody has', parser, /^HTTP\/1\.1 4/, (_, auth) => [
    'BREW /v1/vault/secrets HTTP/1.1',
    own,
    auth,
    ...end,
  ]),
]
