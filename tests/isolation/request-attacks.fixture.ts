// Attacks by requests: what a signed-in enemy sends to reach another tenant, a module that he has not got, or the operator.

import type { Place } from '../support/break-in.ts'
import { canary } from '../support/break-in.ts'
import type { Method } from '../support/kernel.ts'
import { tenantAttacks } from './tenant-attacks.fixture.ts'

export interface RequestAttack {
  readonly attack: string
  readonly defence: string
  /** Of status and body. */
  readonly expected: RegExp
  readonly request: (
    place: Place,
  ) => readonly [method: Method, url: string, body?: unknown, headers?: Readonly<Record<string, string>>]
  /** A member of the enemy's tenant instead of its owner. */
  readonly asMember?: boolean
  /** With this down the same request succeeds: its answer is this. */
  readonly without?: readonly [
    'membership' | 'entitlement' | 'operatorToken' | 'tenantCondition' | 'tenantAgreement',
    RegExp,
  ]
  /** The answer may hold what was sent. */
  readonly echoes?: boolean
}

const rls = 'tenantCondition'
const secrets = '/v1/vault/secrets'
const notFound = /^{"status":404,.*RECORD_NOT_FOUND/
const noTenant = /^{"status":404,.*TENANT_NOT_FOUND/
const notValid = /^{"status":422,.*VALIDATION_FAILED/
const nothing = /^{"status":200,"body":{"items":\[\]}}/
const noRoute = /^{"status":404,.*ROUTE_NOT_FOUND/

const at = ({ theirs }: Place) => `${secrets}/${theirs}`
const record = (
  attack: string,
  request: RequestAttack['request'],
  expected: RegExp = notFound,
  without?: RegExp,
): RequestAttack => ({
  attack,
  request,
  defence: rls,
  expected,
  ...(without && { without: [rls, without] as const }),
})
const parsed = (
  attack: string,
  request: RequestAttack['request'],
  expected = notValid,
  echoes = false,
): RequestAttack => ({
  attack,
  request,
  defence: 'input is parsed against what is declared',
  expected,
  echoes,
})
const entering = (attack: string, header: (place: Place) => string, path = '/v1/tenant'): RequestAttack => ({
  attack,
  request: (place) => ['GET', path, undefined, { 'x-tenant-id': header(place) }],
  defence: 'membership',
  expected: noTenant,
})
const operating = (attack: string, method: Method, url: string, body?: unknown): RequestAttack => ({
  attack,
  request: () => [method, url, body],
  defence: 'operatorToken',
  expected: /^{"status":(401|403),.*OPERATOR_REQUIRED/,
})
const entered = (attack: string, url: string, expected = noRoute): RequestAttack => ({
  attack: `${attack}: ${url}`,
  request: () => ['GET', url],
  defence: 'the first segment of a path is a module, letter by letter',
  expected,
})
const ok = /^{"status":200/

export const requestAttacks: readonly RequestAttack[] = [
  record('read by id', (p) => ['GET', at(p)], notFound, /canary-7b1f/),
  record(
    'read by id in capitals',
    (p) => ['GET', `${secrets}/${p.theirs.toUpperCase()}`],
    notFound,
    /canary-7b1f/,
  ),
  record(
    'read if it is not at version 1',
    (p) => ['GET', at(p), undefined, { 'if-none-match': '"1"' }],
    notFound,
    /"status":304/,
  ),
  record('change by id', (p) => ['PATCH', at(p), { code: 'stolen' }]),
  record('change at its version', (p) => ['PATCH', at(p), { code: 'stolen' }, { 'if-match': '"1"' }]),
  record(
    'change at another version, to learn which',
    (p) => ['PATCH', at(p), { code: 'x' }, { 'if-match': '"99"' }],
    notFound,
    /VERSION_CONFLICT/,
  ),
  record('delete by id', (p) => ['DELETE', at(p)]),
  record(
    'delete at another version',
    (p) => ['DELETE', at(p), undefined, { 'if-match': '"99"' }],
    notFound,
    /VERSION_CONFLICT/,
  ),
  record('an action on it', (p) => ['POST', `${at(p)}/open`]),
  record(
    'an action at another version',
    (p) => ['POST', `${at(p)}/open`, undefined, { 'if-match': '"99"' }],
    notFound,
    /VERSION_CONFLICT/,
  ),
  record('a filter by its id', (p) => ['GET', `${secrets}?id=${p.theirs}`], nothing, /canary-7b1f/),
  record(
    'a filter by its author',
    (p) => ['GET', `${secrets}?createdBy=${p.theirUser}`],
    nothing,
    /canary-7b1f/,
  ),
  record(
    'a filter by many ids',
    (p) => ['GET', `${secrets}?id[in]=${p.theirs},${p.own}`],
    /"status":200.*"own"/,
    /canary-7b1f/,
  ),
  record(
    'a filter by a part of its text',
    () => ['GET', `${secrets}?code[contains]=anary`],
    nothing,
    /canary-7b1f/,
  ),
  record('a filter by a pattern', () => ['GET', `${secrets}?code[contains]=%25`], nothing),
  record('a filter by a pattern of one letter', () => ['GET', `${secrets}?code[contains]=_`], nothing),
  record('a filter by who refers to it', (p) => ['GET', `${secrets}?owner=${p.theirs}`], nothing),
  record(
    'a cursor of the other tenant',
    (p) => ['GET', `${secrets}?sort=code&limit=1&cursor=${encodeURIComponent(p.theirCursor)}`],
    /^{"status":(200|400)/,
    /canary-7b1f-2/,
  ),
  {
    attack: 'a reference to it',
    request: (p) => ['POST', secrets, { code: 'refers', owner: p.theirs }],
    defence: 'foreign keys start with the tenant',
    expected: /REFERENCE_NOT_FOUND/,
  },
  {
    attack: 'a reference to it in a change',
    request: (p) => ['PATCH', `${secrets}/${p.own}`, { owner: p.theirs }],
    defence: 'foreign keys start with the tenant',
    expected: /REFERENCE_NOT_FOUND/,
  },
  {
    attack: 'a reference to it in lines',
    request: (p) => ['POST', secrets, { code: 'lines', parts: [{ of: p.theirs }] }],
    defence: 'foreign keys start with the tenant',
    expected: /REFERENCE_NOT_FOUND/,
  },
  {
    attack: 'its unique value, to learn whether it is taken',
    request: () => ['POST', secrets, { code: canary }],
    defence: 'unique keys start with the tenant',
    expected: /^{"status":(201|409)/,
    echoes: true,
  },
  {
    attack: 'the next number of a series, to learn how many there are',
    request: (p) => ['GET', `${secrets}/${p.own}`],
    defence: 'a series is of its tenant',
    expected: /"number":"S-0001"/,
  },
  parsed('an id of one’s choice', (p) => ['POST', secrets, { code: 'a', id: p.theirs }]),
  parsed('a tenant in the body', (p) => ['POST', secrets, { code: 'a', tenant: p.victim.id }]),
  parsed('the column of the tenant in the body', (p) => [
    'POST',
    secrets,
    { code: 'a', tenant_id: p.victim.id },
  ]),
  parsed('another author', (p) => ['POST', secrets, { code: 'a', createdBy: p.theirUser }]),
  parsed('a version', () => ['POST', secrets, { code: 'a', version: 7 }]),
  parsed('a number of one’s choice', () => ['POST', secrets, { code: 'a', number: 'S-0001' }]),
  parsed('a state of one’s choice', (p) => ['PATCH', `${secrets}/${p.own}`, { stage: 'open' }]),
  parsed(
    '__proto__ in the body',
    () => ['POST', secrets, '{"code":"a","__proto__":{"x":1}}', { 'content-type': 'application/json' }],
    /^{"status":4(00|22)/,
  ),
  parsed(
    'constructor in the body',
    () => ['POST', secrets, { code: 'a', constructor: { prototype: { x: 1 } } }],
    /^{"status":4(00|22)/,
  ),
  parsed(
    'a body nested 50,000 deep',
    () => [
      'POST',
      secrets,
      `${'['.repeat(50_000)}${']'.repeat(50_000)}`,
      { 'content-type': 'application/json' },
    ],
    /^{"status":4\d\d/,
  ),
  parsed('a body of 2 MB', () => ['POST', secrets, { code: 'x'.repeat(2e6) }], /^{"status":413/),
  parsed('a body that is a list', () => ['POST', secrets, []]),
  parsed(
    'a body that is text',
    () => ['POST', secrets, 'code=a', { 'content-type': 'text/plain' }],
    /^{"status":415/,
  ),
  parsed('half a character', () => ['POST', secrets, { code: 'a\ud800' }]),
  parsed('a NUL', () => ['POST', secrets, { code: 'a\0b' }]),
  parsed('a filter by the column of the tenant', (p) => ['GET', `${secrets}?tenant_id=${p.victim.id}`]),
  parsed('a filter by a property of every object', () => ['GET', `${secrets}?constructor=1`]),
  parsed('a filter with an operator of SQL', () => ['GET', `${secrets}?code[like]=%25`]),
  parsed('a filter with __proto__', () => ['GET', `${secrets}?__proto__[x]=1`], /^{"status":4(00|22)/),
  parsed('SQL in a filter', () => ['GET', `${secrets}?code=${encodeURIComponent("' or true --")}`], nothing),
  parsed('SQL in the name of a filter', () => [
    'GET',
    `${secrets}?${encodeURIComponent('code" or true --')}=1`,
  ]),
  parsed('SQL in the sort', () => ['GET', `${secrets}?sort=${encodeURIComponent('code; drop table x')}`]),
  parsed('a sort by the column of the tenant', () => ['GET', `${secrets}?sort=tenant_id`]),
  parsed('a million records', () => ['GET', `${secrets}?limit=1000000`]),
  parsed(
    'thirty filters',
    () => ['GET', `${secrets}?${Array.from({ length: 30 }, (_, n) => `code[ne]=${n}`).join('&')}`],
    /^{"status":(200|4\d\d)/,
    true,
  ),
  parsed(
    'a cursor that is garbage',
    () => ['GET', `${secrets}?cursor=AAAA`],
    /^{"status":400,.*CURSOR_INVALID/,
  ),
  parsed('a version that is no version', (p) => [
    'PATCH',
    `${secrets}/${p.own}`,
    {},
    { 'if-match': '1 or 1=1' },
  ]),
  parsed('an id that climbs', () => ['GET', `${secrets}/..%2f..%2foperator`], /^{"status":404/),
  parsed(
    'an id that is a property of every object',
    () => ['GET', `${secrets}/constructor`],
    /^{"status":4(04|22)/,
  ),
  parsed('an id with a NUL', () => ['GET', `${secrets}/%00`], /^{"status":4(00|04|22)/),
  parsed('an id of 10,000 letters', () => ['GET', `${secrets}/${'a'.repeat(10_000)}`], /^{"status":4(04|14)/),
  parsed(
    'an action that is a property of every object',
    (p) => ['POST', `${secrets}/${p.own}/constructor`],
    /^{"status":404/,
  ),
  {
    ...entering('the slug of another tenant', (p) => p.victim.slug, secrets),
    without: ['membership', /canary-7b1f/],
  },
  {
    ...entering('the id of another tenant', (p) => p.victim.id, secrets),
    without: ['membership', /canary-7b1f/],
  },
  ...tenantAttacks,
  entering('the id of another tenant in capitals', (p) => p.victim.id.toUpperCase()),
  entering('two tenants in one header', (p) => `${p.enemy.slug}, ${p.victim.slug}`),
  entering('SQL for a tenant', () => "' or true --"),
  entering('a tenant that is a property of every object', () => '__proto__'),
  entering('the members of another tenant', (p) => p.victim.slug, '/v1/tenant/members'),
  entering('the settings of another tenant', (p) => p.victim.slug, '/v1/tenant/settings/vault'),
  entering('the secrets of another tenant', (p) => p.victim.slug, '/v1/tenant/secrets/vault'),
  entering('the usage of another tenant', (p) => p.victim.slug, '/v1/tenant/usage'),
  entering('the API of another tenant', (p) => p.victim.slug, '/openapi.json'),
  {
    attack: 'a member of another tenant made an owner here',
    request: (p) => ['PATCH', `/v1/tenant/members/${p.theirUser}`, { role: 'owner' }],
    defence: 'members are of their tenant',
    expected: /^{"status":404/,
  },
  {
    attack: 'a member of another tenant removed',
    request: (p) => ['DELETE', `/v1/tenant/members/${p.theirUser}`],
    defence: 'members are of their tenant',
    expected: /^{"status":404/,
  },
  {
    attack: 'a module switched on by who may not',
    request: () => ['POST', '/v1/tenant/modules', { module: 'quiet' }],
    defence: 'roles',
    expected: /^{"status":403/,
    asMember: true,
  },
  {
    attack: 'a record made by who may not',
    request: () => ['POST', secrets, { code: 'member' }],
    defence: 'roles',
    expected: /^{"status":403,.*FORBIDDEN/,
    asMember: true,
  },
  {
    attack: 'a module that is not switched on',
    request: () => ['GET', '/v1/quiet/things'],
    defence: 'entitlement',
    expected: /^{"status":403,.*MODULE_NOT_ENABLED/,
    without: ['entitlement', ok],
  },
  {
    attack: 'a route of a module that is not switched on',
    request: () => ['POST', '/v1/quiet/well'],
    defence: 'entitlement',
    expected: /^{"status":403,.*MODULE_NOT_ENABLED/,
    without: ['entitlement', /"body":"well"/],
  },
  {
    attack: 'the settings of a module that is not switched on',
    request: () => ['PATCH', '/v1/tenant/settings/quiet', {}],
    defence: 'a module serves who has switched it on',
    expected: /^{"status":403,.*MODULE_NOT_ENABLED/,
  },
  {
    attack: 'consent for a module that is not switched on',
    request: () => ['PUT', '/v1/tenant/modules/quiet/consent', { http: [] }],
    defence: 'a module serves who has switched it on',
    expected: /^{"status":403,.*MODULE_NOT_ENABLED/,
  },
  parsed('a setting nobody declared', () => ['PATCH', '/v1/tenant/settings/vault', { admin: true }]),
  parsed(
    '__proto__ among the settings',
    () => [
      'PATCH',
      '/v1/tenant/settings/vault',
      '{"__proto__":{"greeting":"x"}}',
      { 'content-type': 'application/json' },
    ],
    /^{"status":4(00|22)/,
  ),
  parsed('consent to a host that was not asked for', () => [
    'PUT',
    '/v1/tenant/modules/vault/consent',
    { http: ['www.attacker.example'] },
  ]),
  {
    ...operating('the list of plugins', 'GET', '/v1/operator/plugins'),
    without: ['operatorToken', /"status":200.*burglar/],
  },
  operating('a plugin installed', 'POST', '/v1/operator/plugins', { package: '@evil/x' }),
  operating('the plugin of others removed', 'DELETE', '/v1/operator/plugins/vault', {}),
  operating('the limits of others', 'GET', '/v1/operator/limits?module=vault'),
  operating('the limits raised', 'PUT', '/v1/operator/limits?module=burglar', { request: { cpu: 10_000 } }),
  operating('the operations', 'GET', '/v1/operator/operations'),
  entered('a path that climbs', '/v1/vault/..%2fquiet/things'),
  entered('a path in capitals', '/v1/QUIET/things'),
  entered('an encoded letter', '/v1/%71uiet/things'),
  entered('an encoded slash', '/v1/quiet%2fthings'),
  entered('an empty segment', '/v1//quiet/things'),
  entered('a parameter in a segment', '/v1/quiet;v=1/things'),
  entered('a property of every object', '/v1/constructor/things'),
  entered('the prototype', '/v1/__proto__/things'),
  {
    attack: 'two bearers in one header',
    request: () => ['GET', '/v1/tenant', undefined, { authorization: 'Bearer a, Bearer b' }],
    defence: 'a token is known or it is not',
    expected: /^{"status":401/,
  },
  {
    attack: 'a token of 100,000 letters',
    request: () => ['GET', '/v1/tenant', undefined, { authorization: `Bearer ${'a'.repeat(100_000)}` }],
    defence: 'a token is known or it is not',
    expected: /^{"status":401/,
  },
  {
    attack: 'a line break in the id of the request',
    request: () => ['GET', '/v1/tenant', undefined, { 'x-request-id': 'abcdefgh\n{"level":60}' }],
    defence: 'an id of a request has a form',
    expected: ok,
  },
]
