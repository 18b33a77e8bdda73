// The one door for what a plugin asks of the kernel. Every call is counted against the invocation's limit, found in
// the table below, and its input checked, before any of the kernel's code acts on it.
import type { Json } from '@plinth/sdk'
import { allStand, type DefencesOff } from '../defences.ts'
import { errors } from '../errors.ts'
import type { CallName } from '../protocol/calls.ts'
import { approvals } from './approvals.ts'
import type { Capability } from './capability.ts'
import { entities } from './entities.ts'
import { events } from './events.ts'
import { http } from './http.ts'
import { jobs } from './jobs.ts'
import { services } from './services.ts'
import { sql } from './sql.ts'
import type { Work } from './work.ts'

/** `log.write` is answered by sandbox/running-host.ts, which bounds its lines. A name without a row here does not compile. */
const capabilities: Readonly<Record<Exclude<CallName, 'log.write'>, Capability>> = {
  ...entities,
  ...sql,
  ...services,
  ...events,
  ...jobs,
  ...approvals,
  ...http,
}

/** Answers the calls of one invocation. */
export function openGate(
  work: Work,
  off: DefencesOff = allStand,
): (name: string, input: unknown) => Promise<Json> {
  const module = work.plugin.manifest.name
  return async (name, input) => {
    work.spending.spend(module, 'calls')
    await work.job?.goOn()
    if (!Object.hasOwn(capabilities, name)) {
      throw errors.capabilityDenied({ module, capability: name, reason: 'there is no such capability.' })
    }
    return capabilities[name as keyof typeof capabilities](work, input, off)
  }
}
