// Attacks of the hunt, and those that were found by hunting and have a test of their own.
import { type NamedAttack, named } from './named-attacks.fixture.ts'

export const huntAttacks: readonly NamedAttack[] = [
  ...(['membership', 'entitlement', 'ability'] as const).map((layer) =>
    named(
      'requests',
      'tests/isolation/hunt/permissions-down.test.ts',
      'it finds what that lets through',
      'thousands of requests drawn from /openapi.json, with ids, tenants, cursors, ETags, filters and bodies swapped',
      layer,
      'no byte and no row of the other tenant, nothing above the role',
    ),
  ),
  named(
    'requests',
    'tests/isolation/hunt/layers-down.test.ts',
    'without tenantCondition the policies hold, and without both it finds records',
    'the same, while the tables have no policies',
    'tenantCondition',
    'no byte and no row of the other tenant',
  ),
  named(
    'keys and tokens',
    'escalation.test.ts',
    'a key for a part of an owner’s rights neither closes the tenant nor hands it over',
    'a key of the owner for one permission closes the tenant, or makes another its owner',
    ['who has a part of a right makes no great changes'],
    'SCOPE_REQUIRED',
  ),
  named(
    'keys and tokens',
    'escalation.test.ts',
    'a program is not made the owner of a tenant',
    'a service account is made the owner',
    ['owners are people'],
    'RECORD_NOT_FOUND',
  ),
  named(
    'keys and tokens',
    'escalation.test.ts',
    'a key of a member who was removed does not come back with him',
    'a key of a member who was removed and added again',
    ['removing revokes'],
    'UNAUTHENTICATED',
  ),
  named(
    'requests',
    'escalation.test.ts',
    'a host does not tell which tenant it is of',
    'the domain of another tenant as the host',
    ['refusals repeat what was said'],
    'TENANT_NOT_FOUND, without an id',
  ),
]
