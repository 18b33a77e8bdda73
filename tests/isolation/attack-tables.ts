// Every attack of the tests in one list, from the tables that the tests themselves run, for docs/attacks.md. A test that
// is no table is listed by its name, which scripts/list-attacks.ts looks for in its file.
import type { Defence } from '../../kernel/src/defences.ts'
import { accountAttacks } from './account-attacks.fixture.ts'
import { approvalAttacks } from './approval-attacks.fixture.ts'
import { auditAttacks } from './audit-attacks.fixture.ts'
import { answerAttacks, callAttacks } from './call-attacks.fixture.ts'
import { forceAttacks, lockAttacks, logAttacks } from './code-attacks.fixture.ts'
import { credentialAttacks } from './credential-attacks.fixture.ts'
import { failures, hostWays } from './failing-plugins.fixture.ts'
import {
  innerAddresses,
  notations,
  redirectTargets,
  refusedHeaders,
  refusedHeaderValues,
  ungrantedHosts,
} from './fetch-targets.fixture.ts'
import { frameAttacks } from './frame-attacks.fixture.ts'
import { doublyBounded, governorAttacks } from './governor-attacks.fixture.ts'
import { type GuestAttack, guestAttacks } from './guest-attacks.fixture.ts'
import { hostProcessAttempts } from './host-process-attacks.fixture.ts'
import { huntAttacks } from './hunt-attacks.fixture.ts'
import { jobAttacks } from './job-attacks.fixture.ts'
import { namedTests } from './named-attacks.fixture.ts'
import { archives, contents, manifests } from './package-attacks.fixture.ts'
import { processAttacks } from './process-attacks.fixture.ts'
import { policies, provenance, registries } from './registry-attacks.fixture.ts'
import { requestAttacks } from './request-attacks.fixture.ts'
import { resourceAttacks } from './resource-attacks.fixture.ts'
import { roleAttacks } from './role-attacks.fixture.ts'
import { ssoAttacks } from './single-sign-on-attacks.fixture.ts'
import { socketAttacks } from './socket-attacks.fixture.ts'
import { sqlAttacks } from './sql-attacks.ts'
import { tamperedHostAttacks } from './tampered-host-attacks.fixture.ts'

export interface ListedAttack {
  readonly attack: string
  /** What answers it, in words or by the name of its switch. */
  readonly defence: string
  readonly expected: string
  /** With this wall taken down the same attack succeeds, and the test shows it. */
  readonly without?: Defence
  /** The name of the test, where the row is not what the test runs. */
  readonly test?: string
}

export interface AttackTable {
  readonly kind: string
  /** The file that makes the attacks. */
  readonly file: string
  readonly attacks: readonly ListedAttack[]
}

const table = (kind: string, file: string, attacks: readonly ListedAttack[]): AttackTable => ({
  kind,
  file: file.includes('/') ? file : `tests/isolation/${file}`,
  attacks,
})

const walled = (defence: Defence | undefined, otherwise: string) =>
  defence === undefined ? { defence: otherwise } : { defence, without: defence }

const fromGuest = ({ attack, defence, expected }: GuestAttack): ListedAttack => ({
  attack,
  defence,
  expected: 'value' in expected ? `answers ${JSON.stringify(expected.value)}` : expected.error.source,
})

const fromBreakIn = ({
  attack,
  defence,
  expected,
  without,
}: {
  readonly attack: string
  readonly defence: string
  readonly expected: RegExp
  readonly without?: readonly [Defence, RegExp]
}): ListedAttack => ({ attack, defence, expected: expected.source, ...(without && { without: without[0] }) })

const fromPackage = (one: (typeof archives)[number]): ListedAttack => ({
  attack: one.attack,
  ...walled(one.defence, 'several, or the parser'),
  expected: /^[A-Z_]+$/.test(one.expected) ? one.expected : `PACKAGE_REFUSED ${one.expected}`,
})

const said = ({ code, data }: { readonly code: string | RegExp; readonly data?: object }) =>
  `${typeof code === 'string' ? code : code.source}${data === undefined ? '' : ` ${JSON.stringify(data)}`}`

const fetched = (
  rows: readonly (readonly [string, string])[],
  defence: string,
  without?: Defence,
): ListedAttack[] =>
  rows.map(([attack, url]) => ({
    attack: `${attack}: ${url}`,
    defence,
    expected: 'FETCH_REFUSED',
    ...(without && { without }),
  }))

const tables: readonly AttackTable[] = [
  table('in the isolate', 'isolate.test.ts', guestAttacks.map(fromGuest)),
  table('time and memory', 'isolate.test.ts', resourceAttacks.map(fromGuest)),
  table('the process', 'isolate.test.ts', processAttacks.map(fromGuest)),
  table(
    'a failing plugin',
    'walls.test.ts',
    hostWays.map(([attack, expected]) => ({
      attack,
      defence: 'the limits of an invocation',
      expected: said(expected),
    })),
  ),
  table(
    'a failing plugin',
    'plugin-failures.test.ts',
    failures.map(([attack, status, code]) => ({
      attack: `${attack}, over HTTP`,
      defence: 'the limits of an invocation, one transaction',
      expected: `${status} ${said({ code })}`,
    })),
  ),
  table(
    'the host process',
    'host-process.test.ts',
    Object.keys(hostProcessAttempts(0, 0)).map((attack) => ({
      attack,
      defence: 'the permission model and the platform',
      expected: 'refused',
    })),
  ),
  table(
    'the protocol',
    'tampered-host.test.ts',
    tamperedHostAttacks.map(({ attack, defence, expected }) => ({
      attack: `a host that ${attack}`,
      ...walled(defence, ''),
      expected: JSON.stringify(expected),
    })),
  ),
  table(
    'the protocol',
    'tampered-host.test.ts',
    frameAttacks.map(({ attack, defence, expected }) => ({
      attack,
      defence,
      expected: JSON.stringify(expected),
    })),
  ),
  table(
    'limits of a request',
    'governor-limits.test.ts',
    governorAttacks.map(([way, times, cap]) => ({
      attack: `${way}, ${times} times`,
      ...(doublyBounded.includes(way) ? { defence: 'governor, and the isolate' } : walled('governor', '')),
      expected: `LIMIT_EXCEEDED ${way}, ${cap}`,
    })),
  ),
  table(
    'neighbours',
    'neighbours.test.ts',
    [...forceAttacks, ...logAttacks, ...lockAttacks].map(fromBreakIn),
  ),
  table('requests', 'requests.test.ts', requestAttacks.map(fromBreakIn)),
  table('requests', 'requests.test.ts', socketAttacks.map(fromBreakIn)),
  table('permissions', 'roles.test.ts', roleAttacks.map(fromBreakIn)),
  table('keys and tokens', 'credentials.test.ts', credentialAttacks.map(fromBreakIn)),
  table('single sign-on', 'single-sign-on.test.ts', ssoAttacks.map(fromBreakIn)),
  table('approvals', 'approvals.test.ts', approvalAttacks.map(fromBreakIn)),
  table('jobs', 'jobs.test.ts', jobAttacks.map(fromBreakIn)),
  table('calls of a plugin', 'requests.test.ts', callAttacks.map(fromBreakIn)),
  table(
    'calls of a plugin',
    'requests.test.ts',
    answerAttacks.map(({ attack, defence, expected }) => ({
      attack: `an action answers ${attack}`,
      defence,
      expected: expected.source,
    })),
  ),
  table(
    'SQL',
    'sql.test.ts',
    sqlAttacks.map(({ attack, statement, defence, expected }) => ({
      attack: `${attack}: ${typeof statement === 'string' ? statement : statement.join('; ')}`,
      defence,
      expected: expected.source,
    })),
  ),
  table('fetch', 'fetch.test.ts', [
    ...fetched(notations, 'how a URL may be written'),
    ...fetched(ungrantedHosts.slice(0, 1), 'hostGrant', 'hostGrant'),
    ...fetched(ungrantedHosts.slice(1), 'the grant of hosts, or that there is nobody'),
    ...fetched(redirectTargets, 'redirectCheck and the grant'),
    ...innerAddresses.map((address) => ({
      attack: `a granted name that leads to ${address}`,
      ...walled('addressCheck', ''),
      expected: 'FETCH_FAILED',
    })),
    ...refusedHeaders.map((name) => ({
      attack: `the header '${name}'`,
      defence: 'names of headers that a plugin may set',
      expected: 'FETCH_REFUSED',
    })),
    ...refusedHeaderValues.map((value) => ({
      attack: `the value ${JSON.stringify(value)} of a header`,
      defence: 'what a header may hold',
      expected: 'FETCH_REFUSED',
    })),
  ]),
  table('packages', 'packages.test.ts', [...archives, ...contents, ...manifests].map(fromPackage)),
  table(
    'packages',
    'packages-registry.test.ts',
    [...policies, ...provenance(''), ...registries].map(fromPackage),
  ),
]

export const attackTables: readonly AttackTable[] = [
  ...tables,
  ...[...namedTests, ...auditAttacks, ...accountAttacks, ...huntAttacks].map(({ kind, file, ...attack }) =>
    table(kind, file, [attack]),
  ),
]
