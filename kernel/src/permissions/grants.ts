// What a person has been given in one tenant, before any module is looked at: his membership, his roles, and what others
// lent him. Read by read-grants.ts, kept by grant-directory.ts, turned into an ability by build-ability.ts.
import type { MembershipRole } from '../stages.ts'
import type { AccessRule } from './access-rule.ts'
import { noScopes, type Scopes } from './scope-source.ts'

export interface GrantedRole {
  readonly id: string
  readonly name: string
  readonly rules: readonly AccessRule[]
}

export interface Granted {
  readonly userId: string
  readonly role: MembershipRole
  readonly roles: readonly GrantedRole[]
  readonly scopes: Scopes
}

/** Permissions of another, for as long as he has them himself. What was lent to him is not among them. */
export interface Lent {
  readonly delegation: string
  readonly permissions: readonly string[]
  readonly by: Granted
}

export interface Grants extends Granted {
  readonly lent: readonly Lent[]
  /** Until when this holds if nothing changes: a loan begins or ends then, or the day does. */
  readonly until?: number
}

/** A membership alone. */
export const grantsOf = (role: MembershipRole, userId: string): Grants => ({
  userId,
  role,
  roles: [],
  scopes: noScopes,
  lent: [],
})
