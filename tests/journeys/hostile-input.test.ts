// What no database keeps is refused with the field it stands in, on routes of the kernel and of modules alike. That no
// route at all answers it with a 5xx: isolation/hunt/hostile-values.test.ts.
import t from 'tap'
import { type Method, type Reply, testKernel } from '../support/kernel.ts'

const id = '01890a5d-ac96-774b-bcce-b302099a8057'
const webhook = { url: 'https://hooks.example.com/x', events: ['*'] }
const account = { code: '1000', name: 'Cash', type: 'asset' }

const fieldOf = ({ body }: Reply) => {
  const [first] = (body['errors'] ?? []) as { field: string }[]
  return first?.field
}

t.test('what cannot be stored is refused with its field', async (t) => {
  const { openTenant } = await testKernel(t)
  const { owner } = await openTenant('finance')
  const made = await owner('POST', '/v1/tenant/webhooks', webhook)
  const hook = `/v1/tenant/webhooks/${String(made.body['id'])}`
  const cases: readonly (readonly [Method, string, unknown, string])[] = [
    ['POST', '/v1/tenant/webhooks', { ...webhook, description: 'a\0b' }, 'description'],
    ['POST', '/v1/tenant/webhooks', { ...webhook, description: 'a\ud800b' }, 'description'],
    ['POST', '/v1/tenant/service-accounts', { name: 'a\0b', role: 'member' }, 'name'],
    ['PATCH', '/v1/tenant', { name: 'a\0b' }, 'name'],
    ['POST', '/v1/finance/accounts', { ...account, name: 'a\0b' }, 'name'],
    ['POST', '/v1/finance/accounts', { ...account, 'na\0me': 1 }, 'name'],
    ['GET', '/v1/tenant?tenant=%00', undefined, 'tenant'],
    ['GET', '/v1/finance/accounts?tenant=a%00b', undefined, 'tenant'],
    ['GET', '/v1/finance/accounts?cursor=%00', undefined, 'cursor'],
    ['GET', '/v1/tenant/modules/a%00b', undefined, 'module'],
    ['GET', `/v1/tenant/webhooks/urn:uuid:${id}`, undefined, 'id'],
    ['GET', `/v1/tenant/webhooks?cursor=urn:uuid:${id}`, undefined, 'cursor'],
    ['POST', `${hook}/replay`, { from: '0000-01-01T00:00:00Z' }, 'from'],
    ['POST', `${hook}/replay`, { from: '2026-01-01T00:00:00+23:00' }, 'from'],
    ['POST', `${hook}/replay`, { from: '2026-01-01T00:00:00Z', to: '9999-12-31T23:59:60Z' }, 'to'],
  ]
  for (const [method, url, body, field] of cases) {
    const reply = await owner(method, url, body)
    t.equal(reply.status, 422, `${method} ${url} ${JSON.stringify(body)}`)
    t.equal(fieldOf(reply), field)
  }
})

t.test('a body of brackets alone is refused, also with an Idempotency-Key', async (t) => {
  const { openTenant } = await testKernel(t)
  const { owner } = await openTenant('finance')
  const deep = '['.repeat(400_000) + ']'.repeat(400_000)
  const headers = { 'content-type': 'application/json', 'idempotency-key': 'deep' }
  const reply = await owner('POST', '/v1/finance/accounts', `{"name":${deep}}`, headers)
  t.equal(reply.status, 422)
  t.match(reply.body, { errors: [{ field: 'body', code: 'TOO_DEEP' }] })
})
