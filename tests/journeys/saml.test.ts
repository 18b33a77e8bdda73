// SAML with a real identity provider: set up by its metadata, signed in at by a browser, groups that give roles.
import t from 'tap'
import { startIdentityProvider } from '../support/identity-provider.ts'
import { sender, testKernel } from '../support/kernel.ts'
import {
  postBack,
  signInBySaml,
  startSamlIdentityProvider,
  walkToSamlProvider,
} from '../support/saml-identity-provider.ts'
import { makeSamlKeys } from '../support/saml-keys.ts'
import { openSsoPlace } from '../support/sso-place.ts'

t.test('single sign-on by SAML', async (t) => {
  const idp = await startSamlIdentityProvider(t)
  const oidc = await startIdentityProvider(t)
  const place = await testKernel(t, { plainHosts: [idp.host, oidc.host] })
  const here = await openSsoPlace(place, oidc)
  const { tenant, role, idOf } = here
  const { owner } = tenant
  const saml = '/v1/tenant/sso/saml'
  const base = `/v1/auth/sso/saml/${tenant.id}`
  const enter = async (name: string, groups: string[] = []) => {
    idp.person = { sub: `id-of-${name}`, email: `${name}@acme.example`, name, groups }
    const reply = await signInBySaml(place.kernel, tenant)
    return { reply, send: sender(place.kernel, { authorization: `Bearer ${String(reply.body['token'])}` }) }
  }

  await t.test('what the provider is to know is there before anything is set up', async (t) => {
    const reply = await place.kernel.inject({ method: 'GET', url: `${base}/metadata` })
    t.equal(reply.statusCode, 200)
    t.match(reply.headers['content-type'], /^application\/samlmetadata\+xml/)
    t.match(reply.body, `entityID="http://localhost:3000${base}"`)
    t.match(reply.body, `Location="http://localhost:3000${base}/acs"`)
    t.match(reply.body, /WantAssertionsSigned="true"/)
    idp.serviceProvider = reply.body
    t.equal(
      (await place.kernel.inject({ method: 'GET', url: '/v1/auth/sso/saml/x/metadata' })).statusCode,
      422,
    )
  })

  await t.test('what is wrong is named', async (t) => {
    const { certificate } = idp.keys
    const fields = { issuer: idp.entityId, entryPoint: idp.entryPoint, certificates: [certificate] }
    const weak = await makeSamlKeys(1_024)
    for (const [body, field] of [
      [{}, 'issuer'],
      [{ ...fields, entryPoint: 'http://idp.example/sso' }, 'entryPoint'],
      [{ ...fields, entryPoint: 'https://' }, 'entryPoint'],
      [{ ...fields, certificates: ['A'.repeat(200)] }, 'certificates'],
      [{ ...fields, certificates: [weak.certificate] }, 'certificates'],
      [{ ...fields, metadata: idp.metadata }, 'metadata'],
      [{ metadata: '<EntityDescriptor/>' }, 'metadata'],
      [{ metadata: 'not xml' }, 'metadata'],
      [{ metadata: `<!DOCTYPE a [<!ENTITY b "c">]>${idp.metadata}` }, 'metadata'],
      [{ metadata: idp.metadata.replace(/<KeyDescriptor.*<\/KeyDescriptor>/s, '') }, 'metadata'],
      [{ metadata: idp.metadata.replaceAll('IDPSSODescriptor', 'SPSSODescriptor') }, 'metadata'],
    ] as const)
      t.match(
        await owner('PUT', saml, body),
        { status: 422, body: { errors: [{ field }] } },
        JSON.stringify(body).slice(0, 80),
      )
    const member = await place.addMember(tenant, 'member')
    t.equal((await member('PUT', saml, fields)).status, 403)
  })

  await t.test('is set up by the fields or by the metadata', async (t) => {
    const { certificate } = idp.keys
    const fields = { issuer: idp.entityId, entryPoint: idp.entryPoint, certificates: [certificate] }
    t.match(await owner('PUT', saml, fields), { status: 200, body: { protocol: 'saml', version: 1 } })
    const auditor = await role('Auditor', ['tenant.audit.read'])
    const body = {
      metadata: idp.metadata,
      justInTime: true,
      groupClaim: 'groups',
      groupRoles: { audit: auditor, bosses: 'admin' },
    }
    t.equal((await owner('PUT', saml, body, { 'if-match': '"7"' })).status, 412)
    const set = await owner('PUT', saml, body, { 'if-match': '"1"' })
    t.match(set, {
      status: 200,
      headers: { etag: '"2"' },
      body: {
        protocol: 'saml',
        issuer: idp.entityId,
        redirectUri: `http://localhost:3000${base}/acs`,
        saml: {
          entryPoint: idp.entryPoint,
          certificates: [certificate.replace(/-----.*-----|\n/g, '')],
          audience: `http://localhost:3000${base}`,
        },
      },
    })
    t.same((await owner('GET', '/v1/tenant/sso')).body, set.body)
  })

  await t.test('people come in, with what their groups give', async (t) => {
    const { reply, send } = await enter('ann', ['audit', 'others'])
    t.match(reply, { status: 200, body: { user: { email: 'ann@acme.example', name: 'ann' } } })
    t.match(await send('GET', '/v1/tenant'), { body: { id: tenant.id, role: 'member' } })
    t.equal((await send('GET', '/v1/tenant/audit')).status, 200)
    await enter('ann', ['bosses'])
    t.match(await send('GET', '/v1/tenant'), { body: { role: 'admin' } })
    await enter('ann')
    t.match(await send('GET', '/v1/tenant'), { body: { role: 'member' } })
    t.equal((await send('GET', '/v1/tenant/audit')).status, 403)
    t.match(await send('GET', '/v1/tenant', undefined, { 'x-tenant-id': (await place.openTenant()).slug }), {
      status: 403,
    })
    idp.person = { sub: 'far', email: 'far@elsewhere.example' }
    t.match(await signInBySaml(place.kernel, tenant), {
      status: 403,
      body: { code: 'SSO_PERSON_REFUSED' },
    })
  })

  await t.test('a client gets its session with a ticket', async (t) => {
    idp.person = { sub: 'id-of-ann', email: 'ann@acme.example' }
    const { form, cookie, url } = await walkToSamlProvider(
      place.kernel,
      `email=ann@acme.example&returnTo=${encodeURIComponent('/home?x=1')}`,
    )
    t.equal(url.origin + url.pathname, idp.entryPoint)
    const home = await postBack(place.kernel, tenant.id, form, cookie)
    t.match(home, { status: 302, headers: { location: /^http:\/\/localhost:3000\/home\?x=1&sso_ticket=/ } })
    const ticket = new URL(String(home.headers['location'])).searchParams.get('sso_ticket')
    t.equal((await place.send('POST', '/v1/auth/sso/session', { ticket })).status, 200)
    t.match(
      await postBack(place.kernel, tenant.id, form, cookie),
      { body: { code: 'SSO_FLOW_UNKNOWN' } },
      'once',
    )
  })

  await t.test('a key that was changed is refused until it is pinned', async (t) => {
    const next = await makeSamlKeys()
    const both = { issuer: idp.entityId, entryPoint: idp.entryPoint, justInTime: true }
    await owner('PUT', saml, { ...both, certificates: [next.certificate] })
    t.match((await enter('ann')).reply, { status: 401, body: { code: 'SSO_FAILED' } })
    await owner('PUT', saml, { ...both, certificates: [next.certificate, idp.keys.certificate] })
    t.equal((await enter('ann')).reply.status, 200)
  })

  await t.test(
    'another protocol of the same provider knows other people, and the old one ends',
    async (t) => {
      const id = await idOf('ann')
      const begun = await walkToSamlProvider(place.kernel, `tenant=${tenant.slug}`)
      t.match(await here.connect(), { status: 200, body: { protocol: 'oidc', version: 5 } })
      t.match(await postBack(place.kernel, tenant.id, begun.form, begun.cookie), {
        body: { code: 'SSO_FLOW_UNKNOWN' },
      })
      t.equal((await here.enter('ann')).reply.status, 200)
      t.equal(await idOf('ann'), id, 'by the address the same person')
      t.equal((await owner('DELETE', '/v1/tenant/sso')).status, 204)
    },
  )
})
