// Who a package is decides nothing about the bytes that came for it: they are asked what they are in a sandbox.
import t from 'tap'
import { operatedKernel } from '../support/operator.ts'

const name = '@acme/visits'
/** A plugin that is another one where it can see that it runs in the kernel's process. */
const source = `
import { definePlugin } from '@plinth/sdk'
const inKernel = /node:vm/.test(String(new Error().stack))
export default definePlugin({ name: 'visits', title: inKernel ? 'In the kernel' : 'Visits' })`

t.test('a new version of a package that is trusted by name is described in a sandbox', async (t) => {
  const { operator, releases } = await operatedKernel(t, { trustedPlugins: [name] })
  await releases.publish({ name, version: '1.0.0', source })
  const plan = await operator('POST', '/v1/operator/plugins', { package: name, dryRun: true })
  t.match(plan, { status: 200, body: { module: 'visits', to: '1.0.0', refusals: [] } })
})
