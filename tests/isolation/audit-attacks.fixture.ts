// Attacks on the audit trail, whose tests are not tables.
import { type NamedAttack, named } from './named-attacks.fixture.ts'

export const auditAttacks: readonly NamedAttack[] = [
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
    'audit-upkeep.test.ts',
    'no login may change, delete, backdate or purge',
    'the statements, as the kernel and the data login',
    ['rights of the logins'],
    '42501',
  ),
  named(
    'the audit trail',
    'tests/journeys/audit.test.ts',
    'with auditPersonal down, an admin sees a salary; a module that is gone shows nothing',
    'a reader without the permission looks for what is personal in before and after',
    'auditPersonal',
    '(personal)',
  ),
  named(
    'the audit trail',
    'tests/journeys/audit.test.ts',
    'with csvFormulas down, a cell is a formula',
    'a record named like a formula, exported and opened in a spreadsheet',
    'csvFormulas',
    'the cell begins with an apostrophe',
  ),
]
