// Capability: a domain event, written to the outbox in the unit of work.
import Type from 'typebox'
import { parseFields } from '../data/field-kinds/parse-fields.ts'
import { errors } from '../errors.ts'
import { capability } from './capability.ts'

export const events = {
  'events.emit': capability(
    'events.emit',
    Type.Object(
      { event: Type.String({ maxLength: 120 }), payload: Type.Unknown() },
      { additionalProperties: false },
    ),
    async (work, { event, payload }) => {
      const declared = work.plugin.manifest.events
      const fields = Object.hasOwn(declared, event) ? declared[event] : undefined
      if (!fields) {
        const reason = `it declares no event '${event}'.`
        throw errors.capabilityDenied({ module: work.plugin.manifest.name, capability: 'events', reason })
      }
      work.spending.spend(work.plugin.manifest.name, 'events')
      work.unit.emit({ module: work.plugin.manifest.name, event, payload: parseFields(fields, payload) })
      return null
    },
  ),
}
