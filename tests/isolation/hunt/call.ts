// One request of the hunt, made from a route so that it would mostly be answered.
import type { InjectOptions } from 'light-my-request'
import { type Route, type Schema, shapeOf } from './api-routes.ts'
import { baseDomain, ownDomainOf } from './hosts.ts'
import { type Making, makeValue, textOf } from './make-value.ts'
import { recipes } from './recipes.ts'
import type { Person, Side } from './side.ts'

export interface Call {
  readonly route: Route
  readonly person: Person
  path: string
  query: [name: string, value: string][]
  headers: Record<string, string>
  body: unknown
  /** What was swapped, by name. */
  readonly swaps: string[]
  /** What it names of the other tenant: an answer may repeat that. */
  readonly sent: Set<string>
  /** The same path with an id that nobody has: both must be answered alike. */
  unknownPath?: string
}

const inPath: Readonly<Record<string, (making: Making) => string | undefined>> = {
  module: ({ random, side }) => random.pick(side.known('module')),
  name: () => 'bait',
  tenant: ({ side }) => side.id,
}

/** `/v1/x/{id}` of the paths below it that end in a parameter, the longest first. */
export const itemTemplates = (path: string): string[] =>
  [...path.matchAll(/\}(?=\/|$)/g)].map(({ index }) => path.slice(0, index + 1)).reverse()

/** Core people stay what they are: the referee knows what each of them may do. */
const isCore = (side: Side, path: string): boolean =>
  side.people.some(({ id, standing }) => standing !== 'guest' && id !== '' && path.includes(id))

export function pathOf(route: Route, making: Making, from: Side = making.side): string {
  const { random, side } = making
  for (const template of itemTemplates(route.path)) {
    const known = from
      .known(shapeOf(template))
      .filter((path) => route.method === 'GET' || from !== side || !isCore(side, path))
    const item = random.pick(known)
    if (item !== undefined) return fillRest(item + route.path.slice(template.length), making)
  }
  return fillRest(route.path, making)
}

const fillRest = (path: string, making: Making): string =>
  path.replace(/\{([^}]+)\}/g, (_, name: string) =>
    encodeURIComponent((Object.hasOwn(inPath, name) && inPath[name]?.(making)) || crypto.randomUUID()),
  )

function queryValue(name: string, schema: Schema, making: Making): string {
  const { random, side } = making
  if (name === 'limit') return String(1 + random.int(50))
  if (name === 'sort') {
    const fields = /descending: (.+)\.$/.exec(schema.description ?? '')?.[1]?.split(', ') ?? ['id']
    return `${random.chance(0.5) ? '-' : ''}${random.pick(fields) ?? 'id'}`
  }
  if (schema.format !== 'uuid' && /(^id|By|Id)$/.test(name))
    return random.pick([...side.handles].slice(0, 50)) ?? 'x'
  if (/At$/.test(name)) return '2026-01-01T00:00:00.000Z'
  if (schema.enum || schema.format || schema.type === 'integer')
    return String(makeValue(schema, making, name))
  return textOf(making)
}

function queryOf(route: Route, making: Making): [string, string][] {
  const { random, side } = making
  if (route.path === '/v1/tenant/access/explain' && random.chance(0.8))
    return [
      ['user', side.person(random).id],
      ['action', 'prey.trail.update'],
    ]
  const query: [string, string][] = []
  for (const { name, isRequired, schema } of route.query) {
    if (name === 'cursor') {
      const cursor = random.pick(side.known(`cursor ${route.path}`))
      // A cursor belongs to its filter and order: alone it is the likeliest to be taken.
      if (cursor !== undefined && random.chance(0.1)) return [['cursor', cursor]]
    } else if (isRequired || random.chance(name === 'limit' ? 0.6 : 0.04))
      query.push([name, queryValue(name, schema, making)])
  }
  return query
}

/** The names under which a tenant is reached. */
export const hostsOf = ({ slug }: Side): string[] => [`${slug}.${baseDomain}`, ownDomainOf(slug)]

export function makeCall(route: Route, person: Person, making: Making): Call {
  const { random, side } = making
  const recipe = Object.hasOwn(recipes, route.key) ? recipes[route.key] : undefined
  const path = pathOf(route, making)
  const made = recipe && random.chance(0.9) ? recipe(making, path) : undefined
  const body = made ?? (route.body && makeValue(route.body, making))
  const headers: Record<string, string> = {
    authorization: `Bearer ${person.token}`,
    'x-tenant-id': random.chance(0.5) ? side.slug : side.id,
  }
  const host = random.pick(hostsOf(side))
  if (host !== undefined && random.chance(0.2)) headers['host'] = host
  if (route.method === 'POST' && random.chance(0.15)) {
    headers['idempotency-key'] = `${side.slug}-${random.int(1e9)}`
    side.learn(`idempotency-key ${route.key}`, headers['idempotency-key'])
  }
  return { route, person, path, query: queryOf(route, making), headers, body, swaps: [], sent: new Set() }
}

export function urlOf({ path, query }: Pick<Call, 'path' | 'query'>): string {
  const text = query
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('&')
  return text === '' ? path : `${path}?${text}`
}

export function injectable({ route, path, query, headers, body }: Call): InjectOptions {
  const isJson = body !== undefined
  return {
    method: route.method as 'GET',
    url: urlOf({ path, query }),
    headers: { ...(isJson ? { 'content-type': 'application/json' } : {}), ...headers },
    ...(isJson ? { payload: typeof body === 'string' ? body : JSON.stringify(body) } : {}),
  }
}
