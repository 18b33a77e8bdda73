// A kernel with the bank plugin and the world outside that it fetches from, for tests.
import type { Test } from 'tap'
import { allStand, type DefencesOff } from '../../kernel/src/defences.ts'
import { bankSource, strangerSource } from './bank-plugin.ts'
import { makeInstallation } from './installation.ts'
import { type Send, testKernel } from './kernel.ts'
import { makeOutsideWorld } from './outside-world.ts'
import { recordingLog } from './recording-log.ts'

export const hosts = ['api.bank.example', 'cdn.bank.example']
export const value = 'k3y/of+the bank'
export const ok = 'https://api.bank.example/ok'
export const echo = 'https://api.bank.example/echo'

export async function startBank(t: Test, off: DefencesOff = allStand) {
  const outside = await makeOutsideWorld(t)
  const { log, lines } = recordingLog()
  const pluginsRoot = await makeInstallation(t, {
    '@test/bank': { source: bankSource },
    '@test/stranger': { source: strangerSource, migrations: false },
  })
  const kernel = await testKernel(t, { pluginsRoot }, { log, off, world: outside.world })
  const openBank = async () => {
    const tenant = await kernel.openTenant()
    const enabled = await tenant.owner('POST', '/v1/tenant/modules', {
      module: 'bank',
      consent: { http: hosts },
    })
    t.match(enabled, { status: 201, body: { module: 'bank', consent: { http: hosts, missing: [] } } })
    return tenant
  }
  return { kernel, outside, lines, openBank, pluginsRoot }
}

export const setKey = (send: Send, name = 'bankKey', text: unknown = value) =>
  send('PUT', `/v1/tenant/secrets/bank/${name}`, { value: text })
export const fetchAs = (send: Send, url: string, request: object = {}) =>
  send('POST', '/v1/bank/fetch', { url, request: JSON.stringify(request) })
