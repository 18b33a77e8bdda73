// Which record an event is about. Told of by its payload, so that a plugin need not say it twice.
import type { FieldSpecs, Json } from '@plinth/sdk'

/**
 * `<module>.<entity>:<id>`: of the reference that is called as the event begins (`order` of `order.shipped`), else of the
 * first one that has a value. Undefined: of none, and the event has no order among others.
 */
export function subjectOf(
  module: string,
  event: string,
  fields: FieldSpecs,
  payload: Readonly<Record<string, Json>>,
): string | undefined {
  const refs = Object.entries(fields).filter(
    ([name, { kind }]) => kind === 'ref' && typeof payload[name] === 'string',
  )
  const [about] = event.split('.')
  const [name, spec] = refs.find(([one]) => one === about) ?? refs[0] ?? []
  if (name === undefined || spec?.entity === undefined) return undefined
  const entity = spec.entity.includes('.') ? spec.entity : `${module}.${spec.entity}`
  return `${entity}:${String(payload[name])}`
}
