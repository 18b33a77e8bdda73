// What the hunter learns from an answer: paths of what exists, cursors, ETags. The other tenant's hunters swap them in.
import { type Route, shapeOf } from './api-routes.ts'
import type { Call } from './call.ts'
import type { Answer } from './referee.ts'
import type { Side } from './side.ts'

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const ids = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$|^[A-Za-z0-9]{32}$/

/** By the path of a collection, the parameters that name one of it. */
const childrenOf = new WeakMap<readonly Route[], ReadonlyMap<string, readonly string[]>>()

function parametersBelow(routes: readonly Route[]): ReadonlyMap<string, readonly string[]> {
  const known = childrenOf.get(routes)
  if (known) return known
  const found = new Map<string, string[]>()
  for (const { path } of routes)
    for (const { 1: name = '', index } of path.matchAll(/\/\{([^}]+)\}/g)) {
      const collection = path.slice(0, index)
      const names = found.get(collection) ?? []
      if (!names.includes(name)) names.push(name)
      found.set(collection, names)
    }
  childrenOf.set(routes, found)
  return found
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Of a request that nothing was swapped in, or that was answered all the same. */
export function learnFrom(routes: readonly Route[], call: Call, answer: Answer, side: Side): void {
  const { route, path } = call
  if (route.method === 'DELETE') {
    side.forget(shapeOf(route.path), path)
    side.learn(`gone ${shapeOf(route.path)}`, path)
    return
  }
  const { etag, location } = answer.headers
  if (typeof etag === 'string') side.learn('etag', etag)
  const body = parse(answer.text)
  if (!isObject(body)) return
  if (typeof body['cursor'] === 'string') side.learn(`cursor ${route.path}`, body['cursor'])
  const items = Array.isArray(body['items']) ? body['items'].filter(isObject) : [body]
  for (const { id } of items) if (typeof id === 'string' && ids.test(id)) side.handles.add(id)
  for (const name of parametersBelow(routes).get(route.path) ?? []) {
    for (const item of items) {
      const value = item['id'] ?? item[name]
      if (typeof value === 'string')
        side.learn(shapeOf(`${route.path}/{}`), `${path}/${encodeURIComponent(value)}`)
    }
  }
  if (typeof location === 'string') learnPath(routes, location, side)
}

function learnPath(routes: readonly Route[], location: string, side: Side): void {
  const parts = location.split('/')
  const found = routes.find(({ path }) => {
    const other = path.split('/')
    return (
      path.endsWith('}') &&
      other.length === parts.length &&
      other.every((part, at) => part.startsWith('{') || part === parts[at])
    )
  })
  if (found) side.learn(shapeOf(found.path), location)
}
