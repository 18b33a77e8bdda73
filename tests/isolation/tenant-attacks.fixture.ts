// Attacks by requests that name more than one tenant, or name one where a link must not.
import type { Place } from '../support/break-in.ts'
import type { RequestAttack } from './request-attacks.fixture.ts'

const secrets = '/v1/vault/secrets'

const disagreeing = (attack: string, query: (place: Place) => string): RequestAttack => ({
  attack,
  request: (place) => ['GET', `${secrets}?tenant=${query(place)}`],
  defence: 'tenantAgreement',
  expected: /^{"status":403,.*TENANT_MISMATCH/,
})
const inQuery = (attack: string, request: RequestAttack['request']): RequestAttack => ({
  attack,
  request,
  defence: 'a link names one tenant, and changes nothing',
  expected: /^{"status":422,.*VALIDATION_FAILED/,
})

export const tenantAttacks: readonly RequestAttack[] = [
  {
    ...disagreeing('another tenant in the query, beside the own in the header', (p) => p.victim.slug),
    without: ['tenantAgreement', /"status":200.*"own"/],
  },
  disagreeing('a tenant that does not exist in the query', () => 'no-such-tenant'),
  inQuery('a tenant in the query of a change', (p) => [
    'POST',
    `${secrets}?tenant=${p.enemy.slug}`,
    { code: 'by-link' },
  ]),
  inQuery('two tenants in the query', (p) => [
    'GET',
    `${secrets}?tenant=${p.enemy.slug}&tenant=${p.victim.slug}`,
  ]),
]
