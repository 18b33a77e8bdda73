// Capability: asking for an approval. There is none for deciding: that is for people, over the kernel's own API.
import type { Json } from '@plinth/sdk'
import Type from 'typebox'
import { parseFields } from '../data/field-kinds/parse-fields.ts'
import { errors } from '../errors.ts'
import { capability } from './capability.ts'
import { lockForApproval, requestApproval } from './request-approval.ts'
import type { Work } from './work.ts'

const name = Type.String({ maxLength: 64 })

/** @throws CAPABILITY_DENIED */
function approvalOf({ plugin: { manifest } }: Work, entity: string, action: string) {
  const refuse = (reason: string) =>
    errors.capabilityDenied({ module: manifest.name, capability: 'approvals.request', reason })
  if (!manifest.needs.approvals) throw refuse('its manifest does not ask for needs.approvals.')
  const actions = Object.hasOwn(manifest.actions, entity) ? manifest.actions[entity] : undefined
  const spec = actions && Object.hasOwn(actions, action) ? actions[action] : undefined
  if (!spec?.approval) throw refuse(`'${entity}.${action}' is no action that declares an approval.`)
  return spec
}

export const approvals = {
  'approvals.request': capability(
    'approvals.request',
    Type.Object(
      {
        entity: name,
        record: name,
        action: name,
        input: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
        amount: Type.Optional(
          Type.Object(
            {
              amount: Type.String({ pattern: '^-?\\d{1,20}(\\.\\d{1,18})?$' }),
              currency: Type.String({ pattern: '^[A-Z]{3}$' }),
            },
            { additionalProperties: false },
          ),
        ),
        unit: Type.Optional(Type.String({ format: 'uuid' })),
        chain: Type.Optional(name),
      },
      { additionalProperties: false },
    ),
    async (work, { input = {}, ...asked }): Promise<Json> => {
      const spec = approvalOf(work, asked.entity, asked.action)
      const ask = { ...asked, input: parseFields(spec.input, input) }
      const id = await requestApproval(work, ask, await lockForApproval(work, ask))
      return id === undefined ? { state: 'notNeeded' } : { state: 'open', id }
    },
  ),
}
