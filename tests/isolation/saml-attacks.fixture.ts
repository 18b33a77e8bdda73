// Attacks on SAML: by who holds a response that was signed for him or for another place, by a provider of another tenant,
// and by who writes XML that two readers read differently.
import { inflateRawSync } from 'node:zlib'
import type { Defence } from '../../kernel/src/defences.ts'
import { cookieOf } from '../support/cookie-of.ts'
import type { Reply, Send, TestKernel } from '../support/kernel.ts'
import { publicUrl } from '../support/public-url.ts'
import { assertionIn, signatureIn, signed, signedResponse, wrappings } from '../support/saml-forgery.ts'
import { postBack } from '../support/saml-identity-provider.ts'
import type { SamlKeys } from '../support/saml-keys.ts'
import { asAssertion, asResponse, newId, type SamlClaims } from '../support/saml-response.ts'

export interface SamlScene {
  readonly place: TestKernel
  /** Has verified captured.example, and pinned the certificate of `keys`. */
  readonly tenant: { readonly id: string; readonly slug: string; readonly owner: Send }
  readonly keys: SamlKeys
  /** Has pinned another certificate, of the same provider by name. */
  readonly enemy: { readonly id: string; readonly slug: string }
  readonly enemyKeys: SamlKeys
}

export interface SamlAttack {
  readonly attack: string
  readonly defence: string
  readonly expected: RegExp
  readonly without?: readonly [Defence, RegExp]
  readonly make: (scene: SamlScene) => Promise<Reply>
}

export const issuer = 'https://idp.example/metadata'
const failed = /^{"status":401,.*SSO_FAILED/
const unknown = /^{"status":400,.*SSO_FLOW_UNKNOWN/
const refused = /^{"status":403,.*SSO_PERSON_REFUSED/
const ok = /^{"status":200/

interface Started {
  readonly relayState: string
  readonly cookie: string
  readonly claims: SamlClaims
}

const addressOf = (id: string) => `${publicUrl}/v1/auth/sso/saml/${id}`

/** A sign-in that somebody begins, and what an honest provider would say of ann then. */
async function start({ place, tenant }: SamlScene): Promise<Started> {
  const reply = await place.send('GET', `/v1/auth/sso/start?tenant=${tenant.slug}`)
  const query = new URL(String(reply.headers['location'])).searchParams
  const request = inflateRawSync(Buffer.from(query.get('SAMLRequest') ?? '', 'base64')).toString()
  const audience = addressOf(tenant.id)
  return {
    relayState: query.get('RelayState') ?? '',
    cookie: cookieOf(reply.headers),
    claims: {
      issuer,
      requestId: / ID="([^"]+)"/.exec(request)?.[1] ?? '',
      audience,
      acs: `${audience}/acs`,
      nameId: 'ann',
      attributes: { email: ['ann@captured.example'] },
    },
  }
}

const post = (
  { place, tenant }: SamlScene,
  { relayState, cookie }: Started,
  xml: string,
  encoding: 'utf8' | 'latin1' = 'utf8',
): Promise<Reply> => {
  const form = { SAMLResponse: Buffer.from(xml, encoding).toString('base64'), RelayState: relayState }
  return postBack(place.kernel, tenant.id, form, cookie)
}

export async function signInAs(
  scene: SamlScene,
  sign: 'assertion' | 'response' | 'both' | 'as files have it',
): Promise<Reply> {
  const started = await start(scene)
  if (sign !== 'as files have it')
    return post(scene, started, signedResponse(started.claims, scene.keys, { sign }))
  // A prologue, lines as Windows ends them, and more groups than anybody has.
  const groups = Array.from({ length: 900 }, (_, at) => `group=${at} & more\r\n`)
  const claims = { ...started.claims, attributes: { ...started.claims.attributes, groups } }
  const xml = signedResponse(claims, scene.keys, { sign: 'both' })
  return post(scene, started, `<?xml version="1.0" encoding="UTF-8"?>\r\n${xml}`)
}

/** Somebody more than ann. */
const asBoss = (claims: SamlClaims): SamlClaims => ({
  ...claims,
  nameId: 'boss',
  attributes: { email: ['boss@captured.example'] },
})

const sending = (
  attack: string,
  defence: string,
  xml: (scene: SamlScene, started: Started) => Promise<string> | string,
  rest: Partial<Pick<SamlAttack, 'expected' | 'without'>> = {},
): SamlAttack => ({
  attack: `a SAML response ${attack}`,
  defence,
  expected: failed,
  async make(scene) {
    const started = await start(scene)
    return post(scene, started, await xml(scene, started))
  },
  ...rest,
})

const signature = 'a signature by a pinned certificate, over what is read'
const plain = 'plain XML, bounded before it is parsed'
const times = 'times are checked, with a minute for clocks'
/** What an honest provider signs of these claims. */
const saying =
  (change: (claims: SamlClaims, scene: SamlScene) => Partial<SamlClaims>) =>
  (scene: SamlScene, { claims }: Started) =>
    signedResponse({ ...claims, ...change(claims, scene) }, scene.keys)
const misused = (attack: string, change: Parameters<typeof saying>[0]): SamlAttack =>
  sending(attack, 'samlUse', saying(change), { without: ['samlUse', ok] })

const sha1 = 'http://www.w3.org/2000/09/xmldsig#sha1'
const rsaSha1 = 'http://www.w3.org/2000/09/xmldsig#rsa-sha1'

export const samlAttacks: readonly SamlAttack[] = [
  sending('that nobody signed', signature, (_scene, { claims }) => asResponse(asBoss(claims))),
  sending('signed by the provider of another tenant', signature, ({ enemyKeys }, { claims }) =>
    signedResponse(asBoss(claims), enemyKeys, { sign: 'both' }),
  ),
  sending('changed after it was signed', signature, ({ keys }, { claims }) =>
    signedResponse(claims, keys, { sign: 'both' }).replaceAll(
      'ann@captured.example',
      'boss@captured.example',
    ),
  ),
  sending('whose signed assertion is exchanged for another', signature, ({ keys }, { claims }) => {
    const xml = signedResponse(claims, keys)
    return xml.replace(assertionIn(xml), asAssertion(asBoss(claims)))
  }),
  sending('with a signature that is empty', signature, ({ keys }, { claims }) =>
    signedResponse(asBoss(claims), keys).replace(/<ds:SignatureValue>[^<]*</, '<ds:SignatureValue><'),
  ),
  sending('signed over one of its parts alone', signature, ({ keys }, { claims }) => {
    const id = newId()
    const xml = signed(asResponse(claims, asAssertion(claims, id)), id, keys)
    return asResponse(asBoss(claims)).replace('</saml:Issuer>', `</saml:Issuer>${signatureIn(xml)}`)
  }),
  sending('signed with SHA-1', 'algorithms from SHA-256 up', ({ keys }, { claims }) =>
    signedResponse(claims, keys, { signatureAlgorithm: rsaSha1 }),
  ),
  sending('with a digest of SHA-1', 'algorithms from SHA-256 up', ({ keys }, { claims }) =>
    signedResponse(claims, keys, { digestAlgorithm: sha1 }),
  ),
  sending(
    'whose algorithm is HMAC with the public certificate',
    'algorithms from SHA-256 up',
    ({ keys }, { claims }) =>
      signedResponse(claims, keys).replace(
        /<ds:SignatureMethod Algorithm="[^"]+"/,
        '<ds:SignatureMethod Algorithm="http://www.w3.org/2000/09/xmldsig#hmac-sha1"',
      ),
  ),
  sending('with a transform of its own', 'two transforms and no others', ({ keys }, { claims }) =>
    signedResponse(claims, keys).replace(
      'Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"',
      'Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"',
    ),
  ),
  sending('with an expression of XPath for an ID', signature, ({ keys }, { claims }) => {
    const xml = signedResponse(claims, keys)
    const id = / ID="([^"]+)"/.exec(assertionIn(xml))?.[1] ?? ''
    return xml.replaceAll(id, "x' or '1'='1")
  }),
  ...Object.entries(wrappings).map(([attack, wrap]) =>
    sending(
      `with ${attack}`,
      'one assertion, and each signature in the element that it is of',
      ({ keys }, { claims }) => wrap(claims, asBoss(claims), keys),
    ),
  ),
  misused('for another service of the same provider', () => ({ audience: 'https://other.example' })),
  misused('sent to another address', () => ({ destination: 'https://other.example/acs' })),
  misused('whose assertion is for another address', () => ({ recipient: 'https://other.example/acs' })),
  misused('whose assertion answers another request', () => ({ inResponseTo: newId() })),
  misused('whose assertion answers nothing', () => ({ inResponseTo: '' })),
  misused('for another tenant of the same provider', (_claims, { enemy }) => ({
    audience: addressOf(enemy.id),
    acs: `${addressOf(enemy.id)}/acs`,
  })),
  sending(
    'that answers nothing: sent without being asked',
    'samlUse',
    saying(() => ({ requestId: '' })),
  ),
  sending(
    'by another provider',
    'the issuer is the one set up',
    saying(() => ({ issuer: 'https://x.example' })),
  ),
  sending(
    'that has expired',
    times,
    saying(() => ({ until: -90 })),
  ),
  sending(
    'that is not valid yet',
    times,
    saying(() => ({ from: 90 })),
  ),
  sending(
    'that is no success',
    'the status is read',
    saying(() => ({ status: 'urn:oasis:names:tc:SAML:2.0:status:AuthnFailed' })),
  ),
  sending(
    'of attributes, in which nobody signed in',
    'an assertion tells of a sign-in',
    saying(() => ({ isSignIn: false })),
  ),
  sending(
    'that names a person anew each time',
    'a subject is lasting',
    saying(() => ({ nameIdFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient' })),
  ),
  sending('with an assertion that is encrypted', 'nothing is decrypted', ({ keys }, { claims }) =>
    signedResponse(claims, keys).replaceAll('saml:Assertion', 'saml:EncryptedAssertion'),
  ),
  ...Object.entries({
    'a comment': 'boss<!-- -->.evil',
    'a section': '<![CDATA[boss]]>.evil',
    'an element': 'boss<b/>.evil',
  }).map(([what, nameId]) =>
    sending(
      `with ${what} in its NameID`,
      plain,
      saying(() => ({ nameId })),
    ),
  ),
  sending('with a comment put into its NameID after signing', plain, ({ keys }, { claims }) =>
    signedResponse({ ...claims, nameId: 'boss.evil' }, keys).replace('>boss.evil<', '>boss<!-- -->.evil<'),
  ),
  sending('with a processing instruction in its NameID', plain, ({ keys }, { claims }) =>
    signedResponse({ ...claims, nameId: 'boss.evil' }, keys).replace('>boss.evil<', '>boss<?x?>.evil<'),
  ),
  sending('with a bomb of entities', plain, ({ keys }, { claims }) => {
    const entities = Array.from({ length: 20 }, (_, at) => `<!ENTITY e${at + 1} "${`&e${at};`.repeat(10)}">`)
    return `<!DOCTYPE r [<!ENTITY e0 "boom">${entities.join('')}]>${signedResponse({ ...claims, nameId: '&e20;' }, keys).replace('&amp;', '&')}`
  }),
  sending(
    'with an entity from a file',
    plain,
    ({ keys }, { claims }) =>
      `<!DOCTYPE r [<!ENTITY f SYSTEM "file:///etc/passwd">]>${signedResponse(claims, keys).replace('>ann<', '>&f;<')}`,
  ),
  sending('of elements within elements', plain, () => '<ab>'.repeat(40_000)),
  sending('of 2,900 elements within elements', plain, () => '<a>'.repeat(2_900) + '</a>'.repeat(2_900)),
  sending(
    'with 10,000 attributes',
    plain,
    () => `<a ${Array.from({ length: 10_000 }, (_, at) => `a${at}="" `).join('')}/>`,
  ),
  sending('that is not XML', plain, () => 'this is no XML'),
  {
    attack: 'a SAML response that is not UTF-8',
    defence: plain,
    expected: failed,
    make: async (scene) => {
      const started = await start(scene)
      const claims = { ...started.claims, nameId: 'annä' }
      return post(scene, started, signedResponse(claims, scene.keys), 'latin1')
    },
  },
  {
    attack: 'the same SAML response twice',
    defence: 'a sign-in is answered once, in the database',
    expected: unknown,
    make: async (scene) => {
      const started = await start(scene)
      const xml = signedResponse(started.claims, scene.keys)
      await post(scene, started, xml)
      return post(scene, started, xml)
    },
  },
  {
    attack: 'the same SAML response in another sign-in',
    defence: 'samlUse',
    expected: failed,
    without: ['samlUse', ok],
    make: async (scene) => {
      const started = await start(scene)
      const xml = signedResponse(started.claims, scene.keys)
      await post(scene, started, xml)
      return post(scene, await start(scene), xml)
    },
  },
  {
    attack: 'a SAML response that nobody asked for',
    defence: 'a sign-in is answered once, in the database',
    expected: unknown,
    make: async (scene) => {
      const { claims, cookie } = await start(scene)
      const xml = signedResponse({ ...claims, requestId: '' }, scene.keys)
      return post(scene, { claims, cookie, relayState: 'A'.repeat(43) }, xml)
    },
  },
  {
    attack: 'a SAML response at the address of another tenant',
    defence: 'a sign-in ends in the tenant where it began',
    expected: unknown,
    make: async (scene) => {
      const started = await start(scene)
      return post(
        { ...scene, tenant: { ...scene.tenant, id: scene.enemy.id } },
        started,
        signedResponse(started.claims, scene.keys),
      )
    },
  },
  {
    attack: 'another person sent to land from a SAML sign-in that an enemy began',
    defence: 'ssoBrowser',
    expected: unknown,
    without: ['ssoBrowser', ok],
    make: async (scene) => {
      const started = await start(scene)
      const { cookie } = await start(scene)
      return post(scene, { ...started, cookie }, signedResponse(started.claims, scene.keys))
    },
  },
  {
    attack: 'the state of a SAML sign-in at the callback of OpenID Connect',
    defence: 'a state is for the step that it was made for',
    expected: unknown,
    make: async (scene) => {
      const { relayState, cookie } = await start(scene)
      return scene.place.send('GET', `/v1/auth/sso/callback?code=x&state=${relayState}`, undefined, {
        cookie,
      })
    },
  },
  {
    attack: 'the state of a SAML sign-in, to land without an answer',
    defence: 'a state is for the step that it was made for',
    expected: unknown,
    make: async (scene) => {
      const { relayState, cookie } = await start(scene)
      return scene.place.send('GET', `/v1/auth/sso/saml/landed?state=${relayState}`, undefined, { cookie })
    },
  },
  sending(
    'that asserts an address of a domain which the tenant has not verified',
    'ssoEmail',
    saying(() => ({ nameId: 'mallory', attributes: { email: ['mallory@elsewhere.example'] } })),
    { expected: refused, without: ['ssoEmail', ok] },
  ),
]
