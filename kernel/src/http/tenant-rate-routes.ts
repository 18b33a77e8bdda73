// /v1/operator/tenants/{tenant}/rates: how often one tenant may ask, whatever its plan says.
import Type, { type Static } from 'typebox'
import { readSetRates, setRates } from '../entitlements/tenant-rates.ts'
import { errors } from '../errors.ts'
import type { RunControl } from '../tenants/control-transaction.ts'
import { readTenant } from '../tenants/tenant-directory.ts'
import type { Instance } from './create-instance.ts'
import { atRung, type Ladder } from './ladder.ts'
import { problemResponses } from './schemas.ts'

const rate = Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000_000 }))
const ratesBody = Type.Object({ tenant: rate, user: rate, key: rate }, { additionalProperties: false })
const ratesShape = Type.Object({
  set: Type.Object(ratesBody.properties, {
    description: 'For this tenant; what is absent is as its plan says.',
  }),
  inForce: Type.Object(
    { tenant: Type.Integer(), user: Type.Integer(), key: Type.Integer() },
    { description: 'Requests in a minute. 0: any number.' },
  ),
})

export function tenantRateRoutes(
  app: Instance,
  ladder: Ladder,
  parts: { readonly runControl: RunControl; readonly idOf: (name: string) => Promise<string> },
): void {
  const { runControl } = parts
  const url = '/v1/operator/tenants/:tenant/rates'
  const common = { tags: ['Operator'], response: { 200: ratesShape, ...problemResponses } }
  const nameOf = (params: unknown) => parts.idOf((params as { tenant: string }).tenant)
  const view = (id: string) =>
    runControl(async (tx) => {
      const inForce = app.hygiene?.rates.inForce(await readTenant(tx, id))
      if (!inForce) throw errors.internal({})
      return { set: await readSetRates(tx, id), inForce }
    })

  app.route({
    method: 'GET',
    url,
    schema: { ...common, summary: 'How often a tenant, its people and its keys may ask in a minute' },
    ...atRung(ladder.operated, async (_stage, request) => view(await nameOf(request.params))),
  })
  app.route({
    method: 'PUT',
    url,
    schema: {
      ...common,
      summary: 'Set it for this tenant; what is left out is as its plan says',
      body: ratesBody,
    },
    ...atRung(ladder.operated, async (stage, request) => {
      const id = await nameOf(request.params)
      await setRates(runControl, stage, id, request.body as Static<typeof ratesBody>)
      return view(id)
    }),
  })
}
