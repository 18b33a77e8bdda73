// Capability: a service of another module, in the same unit of work, so that one commit covers both.

import type { Json } from '@plinth/sdk'
import Type from 'typebox'
import { errors } from '../errors.ts'
import { capability } from './capability.ts'

export const services = {
  'services.call': capability(
    'services.call',
    Type.Object(
      {
        module: Type.String({ maxLength: 64 }),
        service: Type.String({ maxLength: 64 }),
        input: Type.Unknown(),
      },
      { additionalProperties: false },
    ),
    async (work, input, off) => {
      if (!off.has('serviceGrant') && !Object.hasOwn(work.plugin.manifest.uses, input.module)) {
        const reason = `its manifest does not name '${input.module}' under uses.`
        throw errors.capabilityDenied({ module: work.plugin.manifest.name, capability: 'services', reason })
      }
      return work.callService(input.module, input.service, (input.input ?? null) as Json)
    },
  ),
}
