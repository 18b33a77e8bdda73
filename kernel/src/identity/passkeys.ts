// Passkeys: a key pair in somebody's device, which shows that he is there and is he. What is signed is a challenge of ours,
// good once and for five minutes, for the host name that people find the client under. @simplewebauthn/server checks it.
import { randomUUID, randomUUIDv7 } from 'node:crypto'
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server'
import { errors } from '../errors.ts'
import type { Actor, Arrival } from '../stages.ts'
import type { ControlTransaction } from '../tenants/control-transaction.ts'
import type { SignedIn } from './accounts.ts'
import { recordIdentityEvent } from './identity-events.ts'
import { type IdentityParts, throttleRules } from './identity-parts.ts'
import { requirePassword } from './passwords.ts'
import { readPerson } from './persons.ts'
import { tellFactorChange } from './second-factor.ts'

const challengeMinutes = 5
const mostPasskeys = 20

export interface Passkey {
  readonly id: string
  readonly name: string
  /** Kept by the maker of the device or a password manager, on more than one device. */
  readonly isBackedUp: boolean
  readonly createdAt: string
  readonly lastUsedAt?: string
}

interface PasskeyRow {
  id: string
  user_id: string
  credential_id: string
  public_key: Buffer
  counter: string
  transports: string[]
  name: string
  is_backed_up: boolean
  created_at: Date
  last_used_at: Date | null
}

const fromRow = (row: PasskeyRow): Passkey => ({
  id: row.id,
  name: row.name,
  isBackedUp: row.is_backed_up,
  createdAt: row.created_at.toISOString(),
  ...(row.last_used_at === null ? {} : { lastUsedAt: row.last_used_at.toISOString() }),
})

type Query = Pick<ControlTransaction, 'query'>
type Transports = NonNullable<RegistrationResponseJSON['response']['transports']>

/** Whom the device speaks to. */
const relyingParty = ({ config }: Pick<IdentityParts, 'config'>) => {
  const { hostname, origin } = new URL(config.publicUrl)
  return { rpID: hostname, origin }
}

async function keepChallenge(tx: Query, challenge: string, userId?: string): Promise<string> {
  const id = randomUUID()
  await tx.query('DELETE FROM identity.passkey_challenge WHERE expires_at < now()', [])
  await tx.query(
    `INSERT INTO identity.passkey_challenge (id, challenge, user_id, expires_at)
     VALUES ($1, $2, $3, now() + ${challengeMinutes} * interval '1 minute')`,
    [id, challenge, userId ?? null],
  )
  return id
}

/** Uses the challenge up, whether what was signed is good or not. @throws PASSKEY_REFUSED */
async function takeChallenge({ runControl }: IdentityParts, id: string, userId?: string): Promise<string> {
  const [row] = await runControl((tx) =>
    tx.query<{ challenge: string }>(
      `DELETE FROM identity.passkey_challenge
        WHERE id = $1 AND user_id IS NOT DISTINCT FROM $2 AND expires_at > now() RETURNING challenge`,
      [id, userId ?? null],
    ),
  )
  if (!row) throw errors.passkeyRefused({ reason: 'the challenge is unknown, too old, or was used already' })
  return row.challenge
}

/** Loaded when somebody comes with one: its certificates and encodings would slow the start of every process. */
const webauthn = () => import('@simplewebauthn/server')

/** The library throws texts that name what does not fit, and nothing of ours. */
async function checked<T extends { readonly verified: boolean }>(check: () => Promise<T>): Promise<T> {
  try {
    const answer = await check()
    if (answer.verified) return answer
  } catch (error) {
    throw errors.passkeyRefused({ reason: 'what was signed does not fit' }, error)
  }
  throw errors.passkeyRefused({ reason: 'the signature is not good' })
}

const ownPasskeys = (tx: Query, userId: string) =>
  tx.query<PasskeyRow>('SELECT * FROM identity.passkey WHERE user_id = $1 ORDER BY id', [userId])

/** Who adds a way in shows again that he is the one who has the others. @throws WRONG_PASSWORD, TOO_MANY_ATTEMPTS */
export async function beginPasskey(parts: IdentityParts, actor: Actor, password: string, origin: Arrival) {
  await requirePassword(parts, actor, password, origin)
  return parts.runControl(async (tx) => {
    const known = await ownPasskeys(tx, actor.id)
    if (known.length >= mostPasskeys)
      throw errors.passkeyRefused({ reason: `nobody needs more than ${mostPasskeys}; remove one first` })
    const options = await (await webauthn()).generateRegistrationOptions({
      rpName: 'Plinth',
      rpID: relyingParty(parts).rpID,
      userID: new TextEncoder().encode(actor.id),
      userName: actor.email,
      userDisplayName: actor.name,
      attestationType: 'none',
      excludeCredentials: known.map(({ credential_id: id }) => ({ id })),
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    })
    return { challengeId: await keepChallenge(tx, options.challenge, actor.id), options }
  })
}

/** @throws PASSKEY_REFUSED */
export async function addPasskey(
  parts: IdentityParts,
  actor: Actor,
  input: { readonly challengeId: string; readonly name: string; readonly response: RegistrationResponseJSON },
  origin: Arrival,
): Promise<Passkey> {
  const expectedChallenge = await takeChallenge(parts, input.challengeId, actor.id)
  const party = relyingParty(parts)
  const { verifyRegistrationResponse } = await webauthn()
  const { registrationInfo } = await checked(() =>
    verifyRegistrationResponse({
      response: input.response,
      expectedChallenge,
      expectedOrigin: party.origin,
      expectedRPID: party.rpID,
      requireUserVerification: true,
    }),
  )
  if (!registrationInfo) throw errors.passkeyRefused({ reason: 'the signature is not good' })
  const { credential, credentialBackedUp } = registrationInfo
  return parts.runControl(async (tx) => {
    const [row] = await tx.query<PasskeyRow>(
      `INSERT INTO identity.passkey (id, user_id, credential_id, public_key, counter, transports, name, is_backed_up)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING *`,
      [
        randomUUIDv7(),
        actor.id,
        credential.id,
        Buffer.from(credential.publicKey),
        credential.counter,
        credential.transports ?? [],
        input.name,
        credentialBackedUp,
      ],
    )
    if (!row) throw errors.passkeyRefused({ reason: 'it is registered already' })
    await tellFactorChange(parts, tx, actor.id, { kind: 'passkey-added', what: 'passkey-added' }, origin)
    return fromRow(row)
  })
}

export const listPasskeys = async ({ runControl }: IdentityParts, actor: Actor): Promise<Passkey[]> =>
  (await runControl((tx) => ownPasskeys(tx, actor.id))).map(fromRow)

/** @throws WRONG_PASSWORD, RECORD_NOT_FOUND */
export async function removePasskey(
  parts: IdentityParts,
  actor: Actor,
  input: { readonly id: string; readonly password: string },
  origin: Arrival,
): Promise<void> {
  await requirePassword(parts, actor, input.password, origin)
  await parts.runControl(async (tx) => {
    const removed = await tx.query(
      'DELETE FROM identity.passkey WHERE id = $1 AND user_id = $2 RETURNING id',
      [input.id, actor.id],
    )
    if (removed.length === 0) throw errors.recordNotFound({ entity: 'passkey', id: input.id })
    await tellFactorChange(parts, tx, actor.id, { kind: 'passkey-removed', what: 'passkey-removed' }, origin)
  })
}

/** Names nobody, so that it tells nobody who has a passkey: the device knows whose it has. */
export async function beginPasskeySignIn(parts: IdentityParts) {
  const options = await (await webauthn()).generateAuthenticationOptions({
    rpID: relyingParty(parts).rpID,
    userVerification: 'required',
  })
  const challengeId = await parts.runControl((tx) => keepChallenge(tx, options.challenge))
  return { challengeId, options }
}

async function verifyPasskey(
  parts: IdentityParts,
  input: { readonly challengeId: string; readonly response: AuthenticationResponseJSON },
): Promise<PasskeyRow> {
  const expectedChallenge = await takeChallenge(parts, input.challengeId)
  const party = relyingParty(parts)
  const [passkey] = await parts.runControl((tx) =>
    tx.query<PasskeyRow>('SELECT * FROM identity.passkey WHERE credential_id = $1', [input.response.id]),
  )
  if (!passkey) throw errors.passkeyRefused({ reason: 'nobody has registered it' })
  const { userHandle } = input.response.response
  if (userHandle !== undefined && Buffer.from(userHandle, 'base64url').toString() !== passkey.user_id)
    throw errors.passkeyRefused({ reason: 'what was signed does not fit' })
  const { verifyAuthenticationResponse } = await webauthn()
  const { authenticationInfo } = await checked(() =>
    verifyAuthenticationResponse({
      response: input.response,
      expectedChallenge,
      expectedOrigin: party.origin,
      expectedRPID: party.rpID,
      requireUserVerification: true,
      credential: {
        id: passkey.credential_id,
        publicKey: new Uint8Array(passkey.public_key),
        counter: Number(passkey.counter),
        // As they came from the device.
        transports: passkey.transports as Transports,
      },
    }),
  )
  const counted = await parts.runControl((tx) =>
    tx.query(
      'UPDATE identity.passkey SET counter = $2, last_used_at = now() WHERE id = $1 AND counter = $3 RETURNING id',
      [passkey.id, authenticationInfo.newCounter, passkey.counter],
    ),
  )
  // A device counts its signatures: two with the same count are two devices.
  if (counted.length === 0) throw errors.passkeyRefused({ reason: 'it was used at the same moment' })
  return passkey
}

/** It stands for both factors: something one has, unlocked by what one knows or is. @throws PASSKEY_REFUSED */
export async function signInWithPasskey(
  parts: IdentityParts,
  input: { readonly challengeId: string; readonly response: AuthenticationResponseJSON },
  origin: Arrival,
): Promise<SignedIn> {
  const { accounts, throttle, runControl } = parts
  const counted = [{ rule: throttleRules(parts.config).address, of: origin.address }]
  const blocking = await throttle.begin(counted)
  const { user_id: userId } = await verifyPasskey(parts, input).catch(async (error: unknown) => {
    await runControl((tx) =>
      recordIdentityEvent(tx, origin, {
        kind: 'sign-in-failed',
        userId: undefined,
        detail: { with: 'passkey' },
      }),
    )
    throw error
  })
  await throttle.takeBack(counted, blocking)
  const person = await runControl((tx) => readPerson(tx, userId))
  if (parts.config.verifyEmail === 'required' && !person.isVerified) throw errors.emailNotVerified({})
  const token = await accounts.openSession(userId, origin)
  await runControl((tx) =>
    recordIdentityEvent(tx, origin, { kind: 'signed-in', userId, detail: { with: 'passkey' } }),
  )
  const { id, name, email } = person
  return { token, user: { id, name, email } }
}
