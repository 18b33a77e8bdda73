// structuredClone for the values that business code holds: JSON values, Date, Map and Set, with shared and circular
// references kept. Functions and anything else are refused, as the real one does.

export function structuredClone(value: unknown): unknown {
  return copy(value, new Map())
}

function copy(value: unknown, seen: Map<unknown, unknown>): unknown {
  if (typeof value === 'function' || typeof value === 'symbol')
    throw new TypeError('A function cannot be cloned.')
  if (typeof value !== 'object' || value === null) return value
  if (seen.has(value)) return seen.get(value)
  const keep = <T>(made: T): T => {
    seen.set(value, made)
    return made
  }
  if (value instanceof Date) return keep(new Date(value.getTime()))
  if (Array.isArray(value)) {
    const made = keep([] as unknown[])
    for (const item of value) made.push(copy(item, seen))
    return made
  }
  if (value instanceof Map) {
    const made = keep(new Map())
    for (const [key, item] of value) made.set(copy(key, seen), copy(item, seen))
    return made
  }
  if (value instanceof Set) {
    const made = keep(new Set())
    for (const item of value) made.add(copy(item, seen))
    return made
  }
  const made = keep({} as Record<string, unknown>)
  for (const [key, item] of Object.entries(value)) {
    Object.defineProperty(made, key, {
      value: copy(item, seen),
      writable: true,
      enumerable: true,
      configurable: true,
    })
  }
  return made
}
