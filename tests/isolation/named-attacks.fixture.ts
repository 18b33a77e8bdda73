// Attacks whose tests are not tables: what each tries, which wall answers it, and the name of the test that makes it.
import type { Defence } from '../../kernel/src/defences.ts'

export interface NamedAttack {
  readonly kind: string
  readonly file: string
  /** The name of the test, word for word. */
  readonly test: string
  readonly attack: string
  readonly defence: string
  readonly expected: string
  readonly without?: Defence
}

const named = (
  kind: string,
  file: string,
  test: string,
  attack: string,
  wall: Defence | readonly [string],
  expected: string,
): NamedAttack =>
  typeof wall === 'string'
    ? { kind, file, test, attack, defence: wall, expected, without: wall }
    : { kind, file, test, attack, defence: wall[0], expected }

const resources = 'time and memory'
const sql = 'SQL'

export const namedTests: readonly NamedAttack[] = [
  named(
    'neighbours',
    'neighbours.test.ts',
    'eight attacks at once, in any order',
    'requests, calls of a host that was taken over and loops, eight at once in an order drawn at random',
    ['all of them'],
    'each as alone, and another tenant is served all the while',
  ),
  named(
    resources,
    'isolate.test.ts',
    'with guestGlobals down, memory that no limit counts is taken until the kernel kills the host',
    'memory of WebAssembly, of a buffer that grows, of a shared one, bit by bit',
    'guestGlobals',
    'PLUGIN_FAILED',
  ),
  named(
    resources,
    'walls-down.test.ts',
    'entryTimeout: an entry uses seconds of CPU without a pause',
    'a loop of seconds in one entry',
    'entryTimeout',
    'LIMIT_EXCEEDED cpu',
  ),
  named(
    resources,
    'walls-down.test.ts',
    'watchdog: what cannot be interrupted burns a core for ever',
    'a built-in that V8 does not interrupt',
    'watchdog',
    'LIMIT_EXCEEDED cpu, and the host is replaced',
  ),
  named(
    resources,
    'walls-down.test.ts',
    'residentMemory: a host takes more memory than it may',
    'six tenants with much each, none over his limit',
    'residentMemory',
    'the host is killed: MODULE_UNAVAILABLE',
  ),
  named(
    resources,
    'fairness.test.ts',
    'a calm tenant is answered while another has 200 requests outstanding',
    '200 invocations of one tenant at once',
    ['turns for each tenant'],
    'another tenant is answered; 96 are refused at once',
  ),
  named(
    resources,
    'fairness.test.ts',
    'twenty of a tenant at once are four inside, and all of them without the queue',
    '20 invocations of one tenant at once',
    'fairQueue',
    '4 are inside, 16 wait',
  ),
  named(
    'neighbours',
    'kernel/src/data/connection-turns.test.ts',
    'a tenant is served in his turn, however many another waits with',
    '40 reads of one tenant at once on two connections',
    'fairConnections',
    'another tenant who comes last is served among the first',
  ),
  named(
    'neighbours',
    'kernel/src/data/connection-turns.test.ts',
    'no tenant has all connections: one that asks meanwhile does not wait at all',
    'one tenant takes every connection and keeps it',
    'fairConnections',
    'OVERLOADED for his last, none for another tenant',
  ),
  named(
    'the protocol',
    'tampered-host.test.ts',
    'and is deaf is killed by its heartbeat, and serves nobody on without',
    'a host that answers nothing for ever',
    'heartbeat',
    'MODULE_UNAVAILABLE',
  ),
  named(
    'the protocol',
    'tampered-host.test.ts',
    'cannot fill the log through stderr',
    '300 KB to stderr',
    ['what is logged of a host is bounded'],
    'the rest is not logged',
  ),
  named(
    'the protocol',
    'tampered-host.test.ts',
    'gets nothing answered for an invocation that is over',
    'calls for an invocation that is over',
    ['an invocation that has ended takes no calls'],
    'dropped',
  ),
  named(
    sql,
    'sql.test.ts',
    'but whoever may say SET reads the other tenant',
    'SET plinth.tenant_id to the other tenant, then a report',
    'sqlVetting',
    'SQL_REFUSED',
  ),
  named(
    sql,
    'sql.test.ts',
    'without the vetting and the READ ONLY, who may only read can write',
    'a DELETE by who may only read, when nothing looks at the text',
    'sqlReadOnly',
    'SQL_REFUSED 25006',
  ),
  named(
    sql,
    'sql.test.ts',
    'a tenant that was set by a statement is an error',
    'SET plinth.tenant_id, when nothing looks at the text and tenants are signed',
    ['the signature of the tenant'],
    'SQL_REFUSED',
  ),
  named(
    sql,
    'sql-limits.test.ts',
    'an answer of 600 MB is cut off, and the kernel does not keep it',
    'an answer of 600 MB',
    'sqlBytes',
    'LIMIT_EXCEEDED sql bytes',
  ),
  named(
    sql,
    'sql-limits.test.ts',
    'a statement that takes too long is cut off, and its backend ends',
    'a statement of half a minute',
    'sqlTime',
    'LIMIT_EXCEEDED sql time',
  ),
  named(
    sql,
    'kernel/src/data/plugin-migrations/apply-plugin-migrations.test.ts',
    'without the check it starts, and the attack succeeds',
    'a policy that shows every tenant, added to the table of a plugin',
    'catalogueCheck',
    'the plugin is not served',
  ),
  named(
    'fetch',
    'fetch.test.ts',
    'redirects',
    'a redirect to another host, with the secret of the first',
    'redirectCheck',
    'FETCH_REFUSED',
  ),
  named(
    'fetch',
    'fetch.test.ts',
    'an answer',
    'an answer that unpacks to 6 MB',
    'fetchSize',
    'LIMIT_EXCEEDED fetched bytes',
  ),
  named(
    'fetch',
    'fetch.test.ts',
    'a name server that never answers takes no longer than the fetch may',
    'a name server that never answers',
    ['a fetch has a deadline'],
    'FETCH_TIMEOUT',
  ),
  named(
    'secrets',
    'secrets.test.ts',
    'cannot be forged into anything but what they are',
    'ten shapes of a secret that nobody gave',
    ['a secret has one form'],
    'FETCH_REFUSED or CAPABILITY_DENIED',
  ),
  named(
    'secrets',
    'secrets.test.ts',
    'of another module or another tenant are not there',
    'the secret of another module, of another tenant, a sealed row that was copied',
    ['secrets are of a tenant and a module, and sealed for them'],
    'FETCH_REFUSED, SECRET_NOT_SET, INTERNAL',
  ),
  named(
    'secrets',
    'secret-hosts.test.ts',
    'with hostGrant down the new host gets it',
    'a new version that names another host for a secret that was given for the first',
    'hostGrant',
    'SECRET_NOT_SET',
  ),
  named(
    'packages',
    'admission.test.ts',
    'a new version of a package that is trusted by name is described in a sandbox',
    'a new version of a trusted package that looks for the kernel while it is asked what it is',
    ['what is not installed yet runs in a sandbox'],
    'described in a sandbox',
  ),
  named(
    'packages',
    'packages-registry.test.ts',
    'a version that was published again with other bytes',
    'a version that was published again with other bytes',
    'packageIntegrity',
    'PACKAGE_REFUSED integrity',
  ),
  ...(['membership', 'entitlement', 'ability'] as const).map((layer) =>
    named(
      'requests',
      'tests/isolation/hunt/hunt.test.ts',
      'it finds what that lets through',
      'thousands of requests drawn from /openapi.json, with ids, tenants, cursors, ETags, filters and bodies swapped',
      layer,
      'no byte and no row of the other tenant, nothing above the role',
    ),
  ),
  named(
    'requests',
    'tests/isolation/hunt/hunt.test.ts',
    'without tenantCondition the policies hold, and without both it finds records',
    'the same, while the tables have no policies',
    'tenantCondition',
    'no byte and no row of the other tenant',
  ),
  named(
    'the audit trail',
    'audit-chain.test.ts',
    'with auditSeals down, a changed row goes unnoticed',
    'a superuser of the database changes who did it',
    'auditSeals',
    'the verification names the seal over the row',
  ),
  named(
    'the audit trail',
    'audit-chain.test.ts',
    'any byte that a superuser changes is found',
    'any byte of a row or a seal changed, rows deleted, put in or exchanged, seals taken away, a purge forged',
    'auditSeals',
    'the verification says what is not as it was sealed',
  ),
  named(
    'the audit trail',
    'audit-chain.test.ts',
    'who takes the last seals away and changes rows does not get them sealed anew',
    'the last seals deleted, so that the kernel seals changed rows',
    ['a process seals nothing twice'],
    'rows that have lost their seals',
  ),
  named(
    'the audit trail',
    'audit-chain.test.ts',
    'an end that was taken away with its seals is found by an anchor, and by nothing else',
    'the last rows deleted with their seals',
    ['an anchor that is kept elsewhere'],
    'the chain ends before the anchor',
  ),
  named(
    'the audit trail',
    'audit-chain.test.ts',
    'no login may change, delete, backdate or purge',
    'the statements, as the kernel and the data login',
    ['rights of the logins'],
    '42501',
  ),
]
