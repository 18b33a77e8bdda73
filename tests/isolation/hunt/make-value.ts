// Values for a JSON Schema that a kernel would mostly accept: texts carry the tenant's mark, ids are its own.
import fc from 'fast-check'
import type { Schema } from './api-routes.ts'
import type { Random } from './random.ts'
import type { Side } from './side.ts'

export interface Making {
  readonly random: Random
  readonly side: Side
  /** Path of the collection that an entity, named as in a ref's description, is kept in. */
  readonly collectionOf: (entity: string) => string | undefined
}

const sampled = new WeakMap<object, readonly string[]>()
const samples = 40

/** Texts of a pattern, drawn once for each schema: fast-check takes longer than the request. */
function ofPattern(schema: Schema, pattern: string): readonly string[] {
  const known = sampled.get(schema)
  if (known) return known
  const drawn = (() => {
    try {
      return fc.sample(fc.stringMatching(new RegExp(pattern)), { numRuns: samples, seed: 7 })
    } catch {
      return ['x']
    }
  })()
  sampled.set(schema, drawn)
  return drawn
}

const day = (random: Random): string =>
  new Date(Date.UTC(2026, 0, 1 + random.int(700))).toISOString().slice(0, 10)

export const amountOf = ({ side, random }: Making): string => `${side.amountMark}${random.int(1_000_000)}.25`

export function textOf({ side, random }: Making, schema: Schema = {}): string {
  const text = `${side.mark} ${random.int(2 ** 32).toString(36)}`
  const { minLength = 0, maxLength = 4_000 } = schema
  return text.padEnd(minLength, '.').slice(0, Math.max(maxLength, 0))
}

/** What the name of a field says of its value, where its schema says less. */
const named: Readonly<Record<string, (making: Making) => unknown>> = {
  amount: amountOf,
  currency: () => 'USD',
  locale: ({ random }) => random.pick(['en', 'de-DE', 'en-GB']),
  timeZone: ({ random }) => random.pick(['Europe/Berlin', 'UTC', 'Asia/Kolkata']),
  country: () => 'DE',
  password: () => 'correct horse battery',
  plan: () => 'starter',
  slug: ({ side, random }) => `${side.slug}-${random.int(1e9).toString(36)}`,
  email: ({ side, random }) => `${side.slug}-${random.int(1e9).toString(36)}@example.com`,
  module: ({ random }) => random.pick(['finance', 'prey']),
}

function textFor(schema: Schema, making: Making): string {
  const { random, side } = making
  if (schema.format === 'uuid') {
    const entity = /^Id: (\S+)/.exec(schema.description ?? '')?.[1]
    const from = entity && making.collectionOf(entity)
    return (
      random
        .pick(side.known(from ?? ''))
        ?.split('/')
        .at(-1) ?? crypto.randomUUID()
    )
  }
  if (schema.format === 'date') return day(random)
  if (schema.format === 'date-time') return `${day(random)}T12:00:00.000Z`
  if (schema.format === 'email') return `${side.slug}-${random.int(1e9).toString(36)}@example.com`
  if (schema.pattern?.includes('\\d{1,30}')) return amountOf(making)
  if (schema.pattern !== undefined && schema.pattern !== '\\S')
    return random.pick(ofPattern(schema, schema.pattern)) ?? ''
  return textOf(making, schema)
}

export function makeValue(schema: Schema, making: Making, name = ''): unknown {
  const { random } = making
  const branches = schema.anyOf ?? schema.oneOf
  if (branches) {
    const branch = random.pick(branches)
    return branch && makeValue(branch, making, name)
  }
  if (schema.const !== undefined) return schema.const
  if (schema.enum) return random.pick(schema.enum)
  const byName = Object.hasOwn(named, name) ? named[name] : undefined
  const type = typeof schema.type === 'string' ? schema.type : schema.type?.[0]
  if (byName && type === 'string') return byName(making)
  if (type === 'null') return null
  if (type === 'boolean') return random.chance(0.5)
  if (type === 'integer' || type === 'number') {
    const { minimum = 0, maximum = minimum + 1_000 } = schema
    return minimum + random.int(Math.min(maximum - minimum, 1_000_000) + 1)
  }
  if (type === 'array') {
    const { minItems = 0, maxItems = 3 } = schema
    const length = minItems + random.int(Math.min(maxItems, minItems + 3) - minItems + 1)
    return Array.from({ length }, () => makeValue(schema.items ?? {}, making, name))
  }
  if (type === 'object' || schema.properties) return makeObject(schema, making)
  return textFor(schema, making)
}

function makeObject(schema: Schema, making: Making): Record<string, unknown> {
  const required = new Set(schema.required ?? [])
  const made: Record<string, unknown> = {}
  for (const [name, property] of Object.entries(schema.properties ?? {}))
    if (required.has(name) || making.random.chance(0.4)) made[name] = makeValue(property, making, name)
  return made
}
