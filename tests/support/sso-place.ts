// A tenant whose people sign in at an identity provider, with a domain that is verified already.
import type { IdentityProvider } from './identity-provider.ts'
import { signInAt } from './identity-provider.ts'
import { type Reply, type Send, sender, type TestKernel } from './kernel.ts'

export interface SsoPlace {
  readonly tenant: { readonly slug: string; readonly id: string; readonly owner: Send }
  /** `acme.example` */
  readonly domain: string
  connect(settings?: object): Promise<Reply>
  /** Signs the person in whose address begins so, as one of these groups, by a browser of his own. */
  enter(name: string, groups?: readonly string[]): Promise<{ readonly send: Send; readonly reply: Reply }>
  /** Requests with the key of a new service account. */
  program(role: 'admin' | 'member', scopes: readonly string[], by?: Send): Promise<Send>
  /** A role of the tenant's own that allows these permissions: its id. */
  role(name: string, permissions: readonly string[]): Promise<string>
  idOf(name: string): Promise<string>
}

export async function openSsoPlace(
  { kernel, openTenant, database }: TestKernel,
  idp: IdentityProvider,
  domain = 'acme.example',
): Promise<SsoPlace> {
  const tenant = await openTenant('finance')
  const { owner } = tenant
  await database.admin.query(
    'insert into kernel.sso_domain (tenant_id, domain, challenge, verified_at) values ($1, $2, $3, now())',
    [tenant.id, domain, 'x'],
  )
  const emailOf = (name: string) => `${name}@${domain}`
  return {
    tenant,
    domain,
    connect: (settings = {}) =>
      owner('PUT', '/v1/tenant/sso', {
        issuer: idp.issuer,
        clientId: idp.clientId,
        clientSecret: idp.clientSecret,
        justInTime: true,
        ...settings,
      }),
    async enter(name, groups) {
      const email = emailOf(name)
      idp.person = { sub: name, email, email_verified: true, ...(groups && { groups }) }
      const reply = await signInAt(kernel, `tenant=${tenant.slug}`)
      const send = sender(kernel, { authorization: `Bearer ${String(reply.body['token'])}` })
      return { send, reply }
    },
    async program(role, scopes, by = owner) {
      const accounts = '/v1/tenant/service-accounts'
      const account = await by('POST', accounts, { name: `program ${scopes.join()}`, role })
      const { body } = await by('POST', `${accounts}/${account.body['id']}/keys`, { name: 'key', scopes })
      return sender(kernel, {
        authorization: `Bearer ${String(body['key'])}`,
        'content-type': 'application/scim+json',
      })
    },
    async role(name, permissions) {
      const rules = permissions.map((permission) => ({ permission, effect: 'allow' }))
      const { body } = await owner('POST', '/v1/tenant/roles', { name, rules })
      return String(body['id'])
    },
    async idOf(name) {
      const { rows } = await database.admin.query<{ id: string }>(
        'select id from identity."user" where email = $1',
        [emailOf(name)],
      )
      return rows[0]?.id ?? ''
    },
  }
}
