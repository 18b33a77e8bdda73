// Capability: a domain event, written to the outbox in the unit of work.
import Type from 'typebox'
import { parseFields } from '../data/field-kinds/parse-fields.ts'
import { errors } from '../errors.ts'
import { capability } from './capability.ts'
import { subjectOf } from './event-subject.ts'

/** Events that follow from one another. */
const longestChain = 16

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
      const module = work.plugin.manifest.name
      work.spending.spend(module, 'events')
      const { task } = work.unit.scope
      // A subscriber that answers each event with another would never end.
      if (task && task.depth >= longestChain)
        throw errors.limitExceeded({ module, limit: 'eventDepth', used: task.depth + 1, cap: longestChain })
      const told = parseFields(fields, payload)
      const subject = subjectOf(module, event, fields, told)
      const version = work.plugin.version
      work.unit.emit({ module, event, payload: told, version, ...(subject === undefined ? {} : { subject }) })
      return null
    },
  ),
}
