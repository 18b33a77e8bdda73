// The walls by name, so that a test can take one down and see its attack succeed: that shows that the test looks.
// No setting, no file and no message reaches this; only a caller in code, and outside tests there is none.

export type Defence =
  /** Globals that no limit can hold are taken from the isolate. */
  | 'guestGlobals'
  /** Each entry into an isolate has a limit of CPU and a timeout. */
  | 'entryTimeout'
  /** An entry that has not returned loses its isolate, then its host. */
  | 'watchdog'
  /** The kernel kills a host that takes too much resident memory. */
  | 'residentMemory'
  /** A package's bytes have the hash that the registry, the operator and history name. */
  | 'packageIntegrity'
  /** An archive has plain files with plain paths, each once. */
  | 'archivePaths'
  /** An archive is bounded while it is unpacked, and so are its files. */
  | 'archiveSize'
  /** The manifest that was shipped is what the code says, each time it is asked. */
  | 'manifestCompare'
  /** A plugin's SQL is checked against lists before it runs. */
  | 'sqlVetting'
  /** A report runs where the database refuses to write. */
  | 'sqlReadOnly'
  /** A job is found by its id and its tenant together. */
  | 'jobTenant'
  /** Who did not start a job sees and steers it with permission of the tenant alone. */
  | 'jobReaders'
  /** Having any job done by hand takes permission of the tenant. */
  | 'jobRunners'
  /** The bytes of an answer to a plugin's SQL are counted on the socket. */
  | 'sqlBytes'
  /** The time of a plugin's SQL is counted on the socket. */
  | 'sqlTime'
  /** A plugin's schema is compared with what it must be, after its migrations and at start. */
  | 'catalogueCheck'
  /** A fetch dials public addresses alone, and the address that was checked. */
  | 'addressCheck'
  /** Each redirect is checked as a first URL is, and leaves credentials behind. */
  | 'redirectCheck'
  /** A fetch goes to hosts that the manifest names and the tenant consented to; a secret to its own host. */
  | 'hostGrant'
  /** The bytes of a fetch are counted, those of an answer after it is decompressed. */
  | 'fetchSize'
  /** What a request may use is bounded: statements, rows, bytes, CPU. */
  | 'governor'
  /** What a host sends is bounded before it is kept. */
  | 'frameLimits'
  /** Every field of what a host sends is checked. */
  | 'messageParsing'
  /** A host that says nothing for a while is killed. */
  | 'heartbeat'
  /** The kernel counts the calls of an invocation, as the guest does. */
  | 'callLimits'
  /** Each SELECT of a store names its tenant, beside the policy of the table. */
  | 'tenantCondition'
  /** Above tenants stands who has the operator's token. */
  | 'operatorToken'
  /** A person enters the tenants that he is a member of. */
  | 'membership'
  /** Attempts to sign in are counted, and who fails too often waits. */
  | 'signInThrottle'
  /** A link from a mail is good for one use, and for a time. */
  | 'singleUse'
  /** An invitation is for the address that it was sent to. */
  | 'invitedAddress'
  /** A code of an authenticator is good for one use. */
  | 'codeReplay'
  /** A request that names two tenants is refused. */
  | 'tenantAgreement'
  /** A tenant does what its state allows: nothing is written in one that is read-only, and nobody is let into one that is closed. */
  | 'tenantState'
  /** What a key or a token may do is cut to its scopes. */
  | 'keyScopes'
  /** A key is compared with the hash of its secret, and is neither revoked, replaced nor expired. */
  | 'keyCheck'
  /** A refresh token works once; the second use ends the session. */
  | 'refreshReuse'
  /** A sign-in at an identity provider ends in the browser that began it. */
  | 'ssoBrowser'
  /** A provider vouches for e-mail addresses of the domains that its tenant has verified, and for verified addresses alone. */
  | 'ssoEmail'
  /** A session that a tenant's provider vouched for reaches that tenant alone. */
  | 'ssoConfinement'
  /** Where single sign-on is required, other sessions do not enter. */
  | 'ssoEnforcement'
  /** A module serves the tenants that have switched it on. */
  | 'entitlement'
  /** Who did one of two duties on a record does not do the other on it. */
  | 'recordDuties'
  /** Nobody puts more into a role, or gives more to a person, than he may do himself. */
  | 'ownGrants'
  /** Rules decide which records and fields of a module a person may reach. */
  | 'ability'
  /** A plugin calls the services of the modules that its manifest names. */
  | 'serviceGrant'
  /** The input of every call of a plugin has the shape of that call. */
  | 'callSchemas'
  /** A tenant has a few invocations in a plugin at once; others wait in turns. */
  | 'fairQueue'
  /** A tenant has a few requests in the kernel at once; others wait in turns. */
  | 'requestTurns'
  /** A page of another origin reads the answers of a tenant that has allowed it. */
  | 'originCheck'
  /** Who asks too often in a minute is turned away. */
  | 'rateLimits'
  /** An answer that is kept for an Idempotency-Key is given to who got it, in the tenant where he did. */
  | 'idempotencyOwner'
  /** Tenants wait for database connections in turns, and none has them all. */
  | 'fairConnections'
  /** Rows of the audit trail are compared with the seals over them. */
  | 'auditSeals'
  /** What is marked personal is taken from the audit trail of readers who may not see it. */
  | 'auditPersonal'
  /** A cell of an export is no formula to a spreadsheet. */
  | 'csvFormulas'
  /** Who decides on an approval is one of those it waits for. */
  | 'approverCheck'
  /** What was approved is what is done: a record that has changed since is not. */
  | 'approvedVersion'
  /** Nobody decides on his own request, and nobody counts twice at one step. */
  | 'approvalDuties'

/** The walls that a test has taken down. */
export type DefencesOff = ReadonlySet<Defence>

export const allStand: DefencesOff = Object.freeze(new Set<Defence>())
