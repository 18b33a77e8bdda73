// Attacks on single sign-on: by an identity provider that lies, by who stands between it and the kernel, and by who
// sends another person through it.
import { SignJWT, UnsecuredJWT } from 'jose'
import type { Defence } from '../../kernel/src/defences.ts'
import { cookieOf } from '../support/cookie-of.ts'
import type { HostileProvider } from '../support/hostile-provider.ts'
import { type Reply, type Send, sender, type TestKernel } from '../support/kernel.ts'

export interface Scene {
  readonly place: TestKernel
  readonly provider: HostileProvider
  /** Has verified captured.example and is connected to the provider. */
  readonly tenant: { readonly id: string; readonly slug: string; readonly owner: Send }
  /** Has nothing to do with it. */
  readonly victim: { readonly id: string; readonly slug: string; readonly owner: Send }
  /** The owner of `victim`. */
  readonly victimEmail: string
}

export interface SsoAttack {
  readonly attack: string
  readonly defence: string
  readonly expected: RegExp
  readonly without?: readonly [Defence, RegExp]
  readonly make: (scene: Scene) => Promise<Reply>
}

interface Started {
  readonly state: string
  readonly nonce: string
  readonly cookie: string
}

const clientId = 'plinth'
export const clientSecret = 'a secret of the client that is long'

export async function start({ place, tenant }: Scene): Promise<Started> {
  const reply = await place.send('GET', `/v1/auth/sso/start?tenant=${tenant.slug}`)
  const url = new URL(String(reply.headers['location']))
  return {
    state: url.searchParams.get('state') ?? '',
    nonce: url.searchParams.get('nonce') ?? '',
    cookie: cookieOf(reply.headers),
  }
}

interface Claims {
  readonly [name: string]: string | number | boolean | undefined
}

const honest = ({ provider }: Scene, { nonce }: Started, claims: Claims = {}) => ({
  iss: provider.issuer,
  aud: clientId,
  sub: 'ann',
  nonce,
  iat: Math.floor(Date.now() / 1_000),
  exp: Math.floor(Date.now() / 1_000) + 60,
  email: 'ann@captured.example',
  email_verified: true,
  name: 'Ann',
  ...claims,
})

/** Comes back from the provider, which then tells `idToken`. */
function back(
  { place, provider }: Scene,
  { state, cookie }: Started,
  idToken: string,
  query = `&iss=${encodeURIComponent(provider.issuer)}`,
): Promise<Reply> {
  provider.idToken = idToken
  return place.send('GET', `/v1/auth/sso/callback?code=any&state=${state}${query}`, undefined, { cookie })
}

export async function signIn(scene: Scene, claims: Claims = {}): Promise<Reply> {
  const started = await start(scene)
  return back(scene, started, await scene.provider.sign(honest(scene, started, claims)))
}

const failed = /^{"status":401,.*SSO_FAILED/
const unknown = /^{"status":400,.*SSO_FLOW_UNKNOWN/
const refused = /^{"status":403,.*SSO_PERSON_REFUSED/
const ok = /^{"status":200/

const lying = (
  attack: string,
  token: (scene: Scene, started: Started) => Promise<string> | string,
  query?: (scene: Scene) => string,
): SsoAttack => ({
  attack: `an ID token ${attack}`,
  defence: 'the ID token is verified: issuer, audience, nonce, signature, algorithm, time',
  expected: failed,
  async make(scene) {
    const started = await start(scene)
    return back(scene, started, await token(scene, started), query?.(scene))
  },
})
const telling = (
  attack: string,
  claims: (scene: Scene) => Claims,
  without?: SsoAttack['without'],
): SsoAttack => ({
  attack: `a provider that asserts ${attack}`,
  defence: 'ssoEmail',
  expected: refused,
  ...(without && { without }),
  make: (scene) => signIn(scene, claims(scene)),
})

const enter = async ({ place }: Scene, signedIn: Reply, tenant: string): Promise<Reply> =>
  sender(place.kernel, { authorization: `Bearer ${String(signedIn.body['token'])}` })(
    'GET',
    '/v1/tenant',
    undefined,
    { 'x-tenant-id': tenant },
  )

export const ssoAttacks: readonly SsoAttack[] = [
  {
    attack: 'a state that nobody was given',
    defence: 'a state is looked up, and used once',
    expected: unknown,
    make: async (scene) => {
      const started = await start(scene)
      const idToken = await scene.provider.sign(honest(scene, started))
      return back(scene, { ...started, state: 'A'.repeat(43) }, idToken)
    },
  },
  {
    attack: 'the same way back twice',
    defence: 'a state is looked up, and used once',
    expected: unknown,
    make: async (scene) => {
      const started = await start(scene)
      const idToken = await scene.provider.sign(honest(scene, started))
      await back(scene, started, idToken)
      return back(scene, started, idToken)
    },
  },
  {
    attack: 'another person sent on the way back of a sign-in that an enemy began',
    defence: 'ssoBrowser',
    expected: unknown,
    without: ['ssoBrowser', ok],
    make: async (scene) => {
      const started = await start(scene)
      const { cookie } = await start(scene)
      const idToken = await scene.provider.sign(honest(scene, started))
      return back(scene, { ...started, cookie }, idToken)
    },
  },
  lying('with the nonce of another sign-in', async (scene) =>
    scene.provider.sign(honest(scene, await start(scene))),
  ),
  lying('without a nonce', (scene, started) => {
    const { nonce: _, ...claims } = honest(scene, started)
    return scene.provider.sign(claims)
  }),
  lying('of another issuer', (scene, started) =>
    scene.provider.sign(honest(scene, started, { iss: 'https://accounts.example' })),
  ),
  lying(
    'while the way back says that another issuer sent it',
    (scene, started) => scene.provider.sign(honest(scene, started)),
    () => '&iss=https%3A%2F%2Faccounts.example',
  ),
  lying(
    'while the way back does not say who sent it',
    (scene, started) => scene.provider.sign(honest(scene, started)),
    () => '',
  ),
  lying('for another client', (scene, started) =>
    scene.provider.sign(honest(scene, started, { aud: 'somebody' })),
  ),
  lying('that has expired', (scene, started) =>
    scene.provider.sign(honest(scene, started, { exp: Math.floor(Date.now() / 1_000) - 120 })),
  ),
  lying('without an end', (scene, started) =>
    scene.provider.sign(honest(scene, started, { exp: undefined })),
  ),
  lying('without a signature, and the algorithm none', (scene, started) =>
    new UnsecuredJWT(honest(scene, started)).encode(),
  ),
  lying('signed with the client secret', (scene, started) =>
    new SignJWT(honest(scene, started)).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(clientSecret)),
  ),
  lying('signed with a key that is not published', async (scene, started) => {
    const { privateKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, [
      'sign',
      'verify',
    ])
    return new SignJWT(honest(scene, started))
      .setProtectedHeader({ alg: 'ES256', kid: 'one' })
      .sign(privateKey)
  }),
  telling(
    'an address that is not verified',
    () => ({ sub: 'bob', email: 'bob@captured.example', email_verified: false }),
    ['ssoEmail', ok],
  ),
  telling(
    'an address of which it does not say whether it is verified',
    () => ({
      sub: 'bob',
      email: 'bob@captured.example',
      email_verified: undefined,
    }),
    ['ssoEmail', ok],
  ),
  telling('an address of a domain below the verified one', () => ({
    sub: 'bob',
    email: 'bob@x.captured.example',
  })),
  telling('an address with two @', () => ({ sub: 'bob', email: 'bob@evil.example@captured.example' })),
  telling('no address', () => ({ sub: 'bob', email: undefined })),
  {
    attack: 'a person of the captured domain, to get into another tenant that he is a member of',
    defence: 'ssoConfinement',
    expected: /^{"status":403,.*TENANT_MISMATCH/,
    without: ['ssoConfinement', ok],
    make: async (scene) => {
      const email = `carol-${Date.now()}@captured.example`
      await scene.place.signUp(undefined, email)
      await scene.victim.owner('POST', '/v1/tenant/members', { email, role: 'admin' })
      return enter(scene, await signIn(scene, { sub: email, email }), scene.victim.slug)
    },
  },
  {
    attack: 'a session that a provider vouched for, to change the account itself',
    defence: 'what belongs to the account asks for a session of the account',
    expected: /^{"status":403,.*PERSON_REQUIRED/,
    make: async ({ place, ...scene }) => {
      const { body } = await signIn({ place, ...scene })
      const send = sender(place.kernel, { authorization: `Bearer ${String(body['token'])}` })
      return send('POST', '/v1/tenants', { name: 'x', slug: 'not-to-be' })
    },
  },
  {
    attack: 'an account opened beforehand with the address of somebody who will come by single sign-on',
    defence:
      'an account that never showed its address loses its credentials before the owner of the address is let in',
    expected: /^{"status":401,.*UNAUTHENTICATED/,
    make: async (scene) => {
      const email = `dave-${Date.now()}@captured.example`
      const enemy = await scene.place.signUp(undefined, email)
      const { body } = await signIn(scene, { sub: email, email })
      if (body['token'] === undefined) throw new Error('he was not let in')
      const account = { email, password: 'correct horse battery' }
      const again = await scene.place.send('POST', '/v1/auth/sign-in/email', account)
      return again.status === 200 ? again : enemy('GET', '/v1/tenants')
    },
  },
  {
    attack: 'a password, where single sign-on is required',
    defence: 'ssoEnforcement',
    expected: /^{"status":403,.*SSO_REQUIRED/,
    without: ['ssoEnforcement', ok],
    make: async (scene) => {
      const email = `erin-${Date.now()}@captured.example`
      const person = await scene.place.signUp(scene.tenant.slug, email)
      await scene.tenant.owner('POST', '/v1/tenant/members', { email, role: 'admin' })
      return person('GET', '/v1/tenant')
    },
  },
  {
    attack: 'an access token for the tenant, made of a password, where single sign-on is required',
    defence: 'ssoEnforcement',
    expected: /^{"status":403,.*SSO_REQUIRED/,
    without: ['ssoEnforcement', ok],
    make: async (scene) => {
      const email = `fred-${Date.now()}@captured.example`
      const person = await scene.place.signUp(undefined, email)
      await scene.tenant.owner('POST', '/v1/tenant/members', { email, role: 'member' })
      const { body } = await person('POST', '/v1/auth/token', { tenant: scene.tenant.slug })
      return enter(
        scene,
        { status: 200, headers: {}, body: { token: body['accessToken'] ?? '' } },
        scene.tenant.slug,
      )
    },
  },
  {
    attack: 'a provider at an inner address',
    defence: 'addressCheck',
    expected: /^{"status":422,.*SSO_ISSUER_REFUSED/,
    make: ({ victim }) =>
      victim.owner('PUT', '/v1/tenant/sso', {
        issuer: 'https://169.254.169.254/latest',
        clientId,
        clientSecret,
      }),
  },
  {
    attack: 'a provider that is another than the one named',
    defence: 'the configuration of a provider names itself',
    expected: /^{"status":422,.*SSO_ISSUER_REFUSED/,
    make: ({ victim, provider }) =>
      victim.owner('PUT', '/v1/tenant/sso', { issuer: `${provider.issuer}/other`, clientId, clientSecret }),
  },
  ...['//evil.example', '/\\evil.example', 'https://evil.example', '/x\nset-cookie: a=b'].map(
    (returnTo): SsoAttack => ({
      attack: `a way back to ${JSON.stringify(returnTo)}`,
      defence: 'the way back is a path of the client',
      expected: /^{"status":422,.*VALIDATION_FAILED/,
      make: ({ place, tenant }) =>
        place.send(
          'GET',
          `/v1/auth/sso/start?tenant=${tenant.slug}&returnTo=${encodeURIComponent(returnTo)}`,
        ),
    }),
  ),
  // Last: where it succeeds the victim's own credentials are gone.
  telling(
    'an address of another domain, an owner of another tenant',
    ({ victimEmail }) => ({
      sub: 'mallory',
      email: victimEmail,
    }),
    ['ssoEmail', ok],
  ),
]

/** A tenant with a captured domain, connected to a provider, and one that has nothing to do with it. */
export async function setScene(place: TestKernel, provider: HostileProvider): Promise<Scene> {
  const tenant = await place.openTenant()
  const victimEmail = 'victim@elsewhere.example'
  const slug = 'the-victim'
  const owner = await place.signUp(slug, victimEmail)
  const { body } = await owner('POST', '/v1/tenants', { name: slug, slug })
  await place.database.admin.query(
    "insert into kernel.sso_domain (tenant_id, domain, challenge, verified_at) values ($1, 'captured.example', 'x', now())",
    [tenant.id],
  )
  const connected = await tenant.owner('PUT', '/v1/tenant/sso', {
    issuer: provider.issuer,
    clientId,
    clientSecret,
    justInTime: true,
    enforced: true,
  })
  if (connected.status !== 200) throw new Error(JSON.stringify(connected.body))
  return { place, provider, tenant, victim: { id: String(body['id']), slug, owner }, victimEmail }
}
