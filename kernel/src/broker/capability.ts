// What a capability is: the shape of its input, checked before the code sees it, and the code.
import type { Json } from '@plinth/sdk'
import type { Static, TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { allStand, type DefencesOff } from '../defences.ts'
import { errors } from '../errors.ts'
import type { Work } from './work.ts'

/** Answers one call of a plugin: its input is the plugin's and not to be trusted. */
export type Capability = (work: Work, input: unknown, off?: DefencesOff) => Promise<Json>

export function capability<S extends TSchema>(
  name: string,
  schema: S,
  answer: (work: Work, input: Static<S>, off: DefencesOff) => Promise<Json>,
): Capability {
  const compiled = Compile(schema)
  return async (work, input, off = allStand) => {
    if (!compiled.Check(input) && !off.has('callSchemas')) {
      const issue = compiled.Errors(input)[0]
      const reason = `${issue?.instancePath || 'its input'} ${issue?.message ?? 'is not right'}.`
      throw errors.capabilityDenied({ module: work.plugin.manifest.name, capability: name, reason })
    }
    return answer(work, input as Static<S>, off)
  }
}
