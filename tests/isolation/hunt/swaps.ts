// What the hunter changes in a request: one thing that is his for one that is the other tenant's, or that is nobody's.
import { type Call, hostsOf, pathOf } from './call.ts'
import { baseDomain } from './hosts.ts'
import type { Random } from './random.ts'
import type { Side } from './side.ts'

export interface Field {
  readonly random: Random
  readonly hunter: Side
  readonly prey: Side
  readonly collectionOf: (entity: string) => string | undefined
}

/** Whether there was something to swap. */
type Swap = (call: Call, field: Field) => boolean

const uuid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi

function name(call: Call, value: string | undefined): value is string {
  if (value === undefined) return false
  for (const one of [value, value.toLowerCase(), ...(value.toLowerCase().match(uuid) ?? [])])
    call.sent.add(one)
  return true
}

/** Any id of the other tenant's; its short name where that is not written down. */
function handle(call: Call, { random, prey }: Field): string {
  const id = random.pick([...prey.handles].slice(-200)) ?? prey.id
  const value = random.chance(0.8) || call.body !== undefined ? id : prey.slug
  name(call, value)
  return value
}

const tenantName = ({ random, prey }: Field): string =>
  random.pick([prey.slug, prey.id, prey.id.toUpperCase(), ` ${prey.slug}`, prey.slug.toUpperCase()]) ??
  prey.id

const header =
  (headerName: string, made: (call: Call, field: Field) => string | undefined): Swap =>
  (call, field) => {
    const value = made(call, field)
    if (!name(call, value)) return false
    call.headers[headerName] = value
    return true
  }

/** One text somewhere in a body becomes `value`. */
function replaceInside(body: unknown, value: unknown, random: Random): unknown {
  if (Array.isArray(body) && body.length > 0) {
    const at = random.int(body.length)
    return body.map((one, index) => (index === at ? replaceInside(one, value, random) : one))
  }
  if (typeof body !== 'object' || body === null) return value
  const keys = Object.keys(body)
  const key = random.pick(keys)
  if (key === undefined) return body
  return { ...body, [key]: replaceInside(Reflect.get(body, key), value, random) }
}

/** Ids in a body that are the hunter's become ids of the other tenant's. */
function swapIds(body: unknown, call: Call, field: Field): unknown {
  if (typeof body === 'string')
    return body.replace(uuid, (own) => {
      const kind = field.hunter
        .kinds()
        .find((one) => field.hunter.known(one).some((path) => path.endsWith(own)))
      const path = kind && field.random.pick(field.prey.known(kind))
      const value = path?.split('/').at(-1) ?? handle(call, field)
      name(call, value)
      return value
    })
  if (Array.isArray(body)) return body.map((one) => swapIds(one, call, field))
  if (typeof body !== 'object' || body === null) return body
  return Object.fromEntries(Object.entries(body).map(([key, one]) => [key, swapIds(one, call, field)]))
}

const filters = ['eq', 'in', 'ne', 'gt', 'gte', 'lt', 'lte', 'contains']

export const swaps: Readonly<Record<string, Swap>> = {
  path(call, field) {
    if (!call.route.path.includes('{')) return false
    const path = pathOf(call.route, { ...field, side: field.hunter }, field.prey)
    const own = call.path
    call.path = field.random.chance(0.1)
      ? path.toUpperCase().replace(/^\/V1\/[^/]+\/[^/]+/, (v) => v.toLowerCase())
      : path
    for (const part of path.split('/').slice(3)) name(call, decodeURIComponent(part))
    if (path === own) return false
    const unknown = path.replace(uuid, () => crypto.randomUUID())
    if (unknown !== path && call.path === path) call.unknownPath = unknown
    return true
  },
  'tenant header': header('x-tenant-id', (_call, field) => tenantName(field)),
  'two tenants': header(
    'x-tenant-id',
    (call, field) => `${call.headers['x-tenant-id']},${tenantName(field)}`,
  ),
  'no tenant': (call) => delete call.headers['x-tenant-id'],
  'tenant in the query'(call, field) {
    const value = tenantName(field)
    call.query.push(['tenant', value])
    if (field.random.chance(0.5)) delete call.headers['x-tenant-id']
    return name(call, value)
  },
  host: header('host', (_call, { prey, random }) => random.pick(hostsOf(prey))),
  'forwarded host': header('x-forwarded-host', (_call, { prey, random }) => random.pick(hostsOf(prey))),
  'forwarded by': header('forwarded', (_call, { prey }) => `host=${prey.slug}.${baseDomain}`),
  'everything that names a tenant'(call, field) {
    const value = field.prey.slug
    call.headers['x-tenant-id'] = value
    call.headers['host'] = `${value}.${baseDomain}`
    if (call.route.method === 'GET') call.query.push(['tenant', value])
    return name(call, value)
  },
  token(call, field) {
    const own = call.headers['authorization'] ?? ''
    const made = [
      undefined,
      'Bearer ',
      `${own}x`,
      own.slice(0, -2),
      `Bearer ${handle(call, field)}`,
      `Basic ${btoa(`${field.prey.id}:${field.prey.slug}`)}`,
      `${own}, ${own}`,
    ]
    const value = field.random.pick(made)
    if (value === undefined) delete call.headers['authorization']
    else call.headers['authorization'] = value
    return true
  },
  cursor(call, { random, prey }) {
    const cursor = random.pick(prey.known(`cursor ${call.route.path}`))
    if (!name(call, cursor)) return false
    call.query = [['cursor', cursor]]
    return true
  },
  'if-match': header('if-match', (_call, { random, prey }) =>
    random.pick([...prey.known('etag'), '*', '"0"']),
  ),
  'if-none-match': header('if-none-match', (_call, { random, prey }) =>
    random.pick([...prey.known('etag'), '*']),
  ),
  'idempotency key': header('idempotency-key', (call, { random, prey }) =>
    random.pick(prey.known(`idempotency-key ${call.route.key}`)),
  ),
  filter(call, field) {
    const one = field.random.pick(call.route.query)
    if (!one || call.route.method !== 'GET') return false
    const operator = field.random.pick(filters) ?? 'eq'
    const value = field.random.chance(0.3) ? field.random.pick(['', '%', '_', '0', 'z']) : handle(call, field)
    call.query.push([operator === 'eq' ? one.name : `${one.name}[${operator}]`, value ?? ''])
    return true
  },
  'filter by tenant'(call, { prey }) {
    call.query.push(['tenant_id', prey.id], ['tenantId', prey.id])
    return name(call, prey.id)
  },
  sort(call, { random }) {
    const wrong = [
      'tenant_id',
      'tenantId',
      '(select 1)',
      '-',
      'id,-id',
      'createdBy.name',
      '__proto__',
      'code;--',
    ]
    call.query.push(['sort', random.pick(wrong) ?? ''])
    return call.route.query.length > 0
  },
  'ids in the body'(call, field) {
    if (call.body === undefined) return false
    call.body = swapIds(call.body, call, field)
    return true
  },
  'a value in the body'(call, field) {
    if (call.body === undefined) return false
    call.body = replaceInside(call.body, handle(call, field), field.random)
    return true
  },
  'more in the body'(call, field) {
    if (typeof call.body !== 'object' || call.body === null || Array.isArray(call.body)) return false
    const { prey, random } = field
    name(call, prey.id)
    const key = random.pick([
      'tenantId',
      'tenant_id',
      'tenant',
      'id',
      'createdBy',
      'version',
      'role',
      'userId',
    ])
    call.body = { ...call.body, [key ?? 'tenantId']: random.chance(0.5) ? prey.id : handle(call, field) }
    return true
  },
  'a body that is none'(call, { random }) {
    if (call.body === undefined) return false
    const made = [
      '',
      '[]',
      'null',
      '"x"',
      '{"__proto__":{"role":"owner"}}',
      '{',
      '{"constructor":{"prototype":{}}}',
    ]
    call.body = random.pick(made)
    return true
  },
  'media type'(call, { random }) {
    call.headers['content-type'] =
      random.pick([
        'text/plain',
        'application/xml',
        'multipart/form-data',
        'application/json; charset=utf-7',
      ]) ?? ''
    return call.body !== undefined
  },
  'another method': header('x-http-method-override', () => 'DELETE'),
}

export const swapNames = Object.keys(swaps)

export function swapOne(call: Call, field: Field): void {
  const chosen = field.random.pick(swapNames) ?? 'path'
  if (swaps[chosen]?.(call, field)) call.swaps.push(chosen)
}
