// Capability: a fetch to a host that the plugin's manifest names and the tenant has consented to. The engine knows the
// internet, this file knows who asks: grants, secrets, and the transaction that must not wait.
import type { Manifest } from '@plinth/sdk'
import Type, { type Static } from 'typebox'
import { errors } from '../errors.ts'
import type { Answer } from '../outside/exchange.ts'
import { fetchLimits } from '../outside/fetcher.ts'
import { hideSecrets } from '../outside/hide-secrets.ts'
import type { Spent } from '../outside/outside.ts'
import { isFetchLimit } from '../outside/read-answer.ts'
import { filled, secretsNamedIn, secretUseIn, written } from '../outside/secret-use.ts'
import { capability } from './capability.ts'
import type { Work } from './work.ts'

const closed = { additionalProperties: false }
const use = Type.Object(
  {
    $secret: Type.String({ maxLength: 64 }),
    as: Type.Union([Type.Literal('raw'), Type.Literal('bearer'), Type.Literal('basic')]),
    user: Type.Optional(Type.String({ maxLength: 256 })),
  },
  closed,
)
const text = Type.Union([Type.String(), use])
const texts = Type.Record(Type.String(), text)
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

const request = Type.Object(
  {
    method: Type.Optional(Type.Union(methods.map((method) => Type.Literal(method)))),
    headers: Type.Optional(texts),
    query: Type.Optional(Type.Record(Type.String(), Type.Union([text, Type.Number(), Type.Boolean()]))),
    json: Type.Optional(Type.Unknown()),
    form: Type.Optional(texts),
    body: Type.Optional(Type.String()),
    base64: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9+/]*={0,2}$' })),
    answer: Type.Optional(Type.Union([Type.Literal('text'), Type.Literal('base64')])),
    redirect: Type.Optional(Type.Union([Type.Literal('follow'), Type.Literal('manual')])),
    timeoutMs: Type.Optional(Type.Integer({ minimum: 100, maximum: fetchLimits.timeoutMs })),
  },
  closed,
)
type Request = Static<typeof request>

/** An open transaction holds a connection and locks, and the database ends one that idles for 5 s. */
const longestHoldMs = 4_000
const shortestMs = 100

const refuse = (reason: string) => errors.fetchRefused({ reason })

/** What may go out leaves before anything was changed: a fetch cannot be rolled back, and a transaction must not wait. */
function refuseInTransaction(work: Work): void {
  if (work.inHook) throw refuse('a validate hook decides about one record and does not fetch.')
  if (work.unit.hasWritten)
    throw refuse('this request has written already. Fetch first: what is sent out cannot be rolled back.')
}

function timeFor(work: Work, asked: number, spent: Spent): number {
  const { wallMs } = work.spending.remaining(work.plugin.manifest.name)
  const held = work.unit.isOpen ? longestHoldMs - spent.heldMs : asked
  if (held < shortestMs)
    throw refuse('its fetches have held the transaction of this request for as long as they may.')
  return Math.floor(Math.min(asked, wallMs, held))
}

/** @throws FETCH_REFUSED, SECRET_NOT_SET */
async function valuesOf(work: Work, names: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const { manifest } = work.plugin
  for (const name of names) hostOf(manifest, name)
  const values = await work.outside.secrets.read(work.tenant.id, manifest, names)
  const missing = names.find((name) => !values.has(name))
  if (missing !== undefined) throw errors.secretNotSet({ module: manifest.name, secret: missing })
  return values
}

function hostOf({ needs: { secrets = {} } }: Manifest, name: string): string {
  const spec = Object.hasOwn(secrets, name) ? secrets[name] : undefined
  if (!spec) throw refuse(`the manifest has no secret '${name}'.`)
  return spec.host
}

const contentTypes = {
  json: 'application/json',
  form: 'application/x-www-form-urlencoded',
  body: 'text/plain; charset=utf-8',
  base64: 'application/octet-stream',
} as const

function bodyOf(asked: Request, values: ReadonlyMap<string, string>): { body?: Buffer; type?: string } {
  const kinds = (['json', 'form', 'body', 'base64'] as const).filter((kind) => asked[kind] !== undefined)
  const [kind] = kinds
  if (kind === undefined) return {}
  if (kinds.length > 1) throw refuse(`a request has one body, not ${kinds.join(' and ')}.`)
  if (asked.method === undefined || asked.method === 'GET' || asked.method === 'HEAD')
    throw refuse(`a ${asked.method ?? 'GET'} has no body; say which method.`)
  const type = contentTypes[kind]
  if (kind === 'json') return { body: Buffer.from(JSON.stringify(filled(asked.json, values))), type }
  if (kind === 'form') return { body: Buffer.from(encoded(asked.form ?? {}, values)), type }
  return { body: Buffer.from(asked[kind] ?? '', kind === 'base64' ? 'base64' : 'utf8'), type }
}

function encoded(fields: NonNullable<Request['query']>, values: ReadonlyMap<string, string>): string {
  const pairs = Object.entries(fields).map(([name, value]) => [name, String(filled(value, values))])
  return new URLSearchParams(pairs).toString()
}

function withQuery(url: string, query: string): string {
  if (query === '') return url
  const [before = ''] = url.split('#')
  return `${before}${before.includes('?') ? '&' : '?'}${query}`
}

function headersOf(
  work: Work,
  asked: Request,
  values: ReadonlyMap<string, string>,
  type: string | undefined,
) {
  const own = Object.entries(asked.headers ?? {}).map(([name, value]) => {
    const secret = secretUseIn(value)
    if (!secret) return { name, value: String(value) }
    return { name, value: written(secret, values), onlyFor: hostOf(work.plugin.manifest, secret.$secret) }
  })
  const isTyped = own.some(({ name }) => name.toLowerCase() === 'content-type')
  return type === undefined || isTyped ? own : [...own, { name: 'content-type', value: type }]
}

/** @throws FETCH_REFUSED saying whose decision it is */
function checkGrant(work: Work, host: string): void {
  if (work.outside.off.has('hostGrant')) return
  const { needs, name } = work.plugin.manifest
  if (!(needs.http ?? []).includes(host))
    throw refuse(`the manifest does not name '${host}' under needs.http.`)
  if (!(work.tenant.consents.get(name)?.http ?? []).includes(host))
    throw refuse(`this tenant has not consented to '${host}'.`)
}

async function fetchFor(work: Work, url: string, asked: Request, spent: Spent): Promise<Answer> {
  const { manifest } = work.plugin
  const inUrl = secretsNamedIn(asked.query)
  const inBody = [...secretsNamedIn(asked.json), ...secretsNamedIn(asked.form)]
  const names = [...new Set([...inUrl, ...inBody, ...secretsNamedIn(asked.headers)])]
  const values = await valuesOf(work, names)
  const { body, type } = bodyOf(asked, values)
  const module = manifest.name
  work.spending.spend(module, 'fetches')
  work.spending.spend(module, 'fetchBytesOut', body?.length ?? 0)
  const timeoutMs = timeFor(work, asked.timeoutMs ?? fetchLimits.timeoutMs, spent)
  const started = performance.now()
  try {
    const answer = await work.outside.fetcher.fetch({
      url: withQuery(url, encoded(asked.query ?? {}, values)),
      method: asked.method ?? 'GET',
      headers: headersOf(work, asked, values, type),
      body,
      bodyOnlyFor: inBody.map((name) => hostOf(manifest, name)),
      urlOnlyFor: inUrl.map((name) => hostOf(manifest, name)),
      follow: asked.redirect !== 'manual',
      timeoutMs,
      checkGrant: (host) => checkGrant(work, host),
    })
    if (!work.outside.off.has('fetchSize')) work.spending.spend(module, 'fetchBytesIn', answer.body.length)
    return await hideSecrets(answer, [...values.values()])
  } finally {
    if (work.unit.isOpen) spent.heldMs += performance.now() - started
  }
}

export const http = {
  'http.fetch': capability(
    'http.fetch',
    Type.Object({ url: Type.String(), request }, closed),
    async (work, { url, request: asked }) => {
      const module = work.plugin.manifest.name
      refuseInTransaction(work)
      try {
        const asker = { request: work.spending, tenant: work.tenant.id, module }
        const answer = await work.outside.inTurn(asker, (spent) => fetchFor(work, url, asked, spent))
        const form = asked.answer === 'base64' ? 'base64' : 'utf8'
        return { status: answer.status, headers: answer.headers, body: answer.body.toString(form) }
      } catch (error) {
        if (!isFetchLimit(error)) throw error
        throw errors.limitExceeded({ module, limit: error.limit, used: error.used, cap: error.cap })
      }
    },
  ),
}
