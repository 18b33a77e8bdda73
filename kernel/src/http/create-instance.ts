// A Fastify instance that never listens: the front door enters it. The kernel's API is one, each loaded plugin
// version is another; all carry this same equipment.
import { randomUUID } from 'node:crypto'
import swagger from '@fastify/swagger'
import Fastify, { type FastifyInstance, LogController, type RawServerDefault } from 'fastify'
import fp from 'fastify-plugin'
import type { Logger } from 'pino'
import { errors } from '../errors.ts'
import type { Located } from '../stages.ts'
import { traceContinuer, traceIdOf } from '../telemetry/trace-context.ts'
import { type IsTrusted, trustNobody } from '../tenants/request-head.ts'
import type { Hygiene } from './hygiene/hygiene.ts'
import { withIdempotencyKey } from './hygiene/idempotency-schema.ts'
import { isForOperator } from './hygiene/rate-limits.ts'
import { securityHeaders } from './hygiene/security-headers.ts'
import { storableFormats } from './hygiene/storable-formats.ts'
import { checkBodyTexts, checkUrlTexts } from './hygiene/storable-input.ts'
import { createKnownPaths } from './known-paths.ts'
import { longestPathPart, type NameDecision, sendProblem } from './problem.ts'
import { RequestLog } from './request-log.ts'
import { sharedSerializers } from './shared-serializers.ts'

/** The one way to authenticate; `security: []` on a route takes it away. */
export const securitySchemes = { bearer: { type: 'http', scheme: 'bearer' } } as const

/** Largest request body, in bytes. A journal entry of 1,000 lines, the most there may be, is about 140 KB. */
export const bodyLimit = 1_048_576

/** At /v1/auth/, where nobody is known yet. */
const authBodyLimit = 65_536

const acceptableRequestId = /^[A-Za-z0-9._-]{8,64}$/

export type Instance = FastifyInstance<RawServerDefault>

/** What is told of each request once it is answered. */
export interface AnsweredRequest {
  readonly method: string
  readonly status: number
  readonly seconds: number
  /** Id of the tenant, when the request got as far as to have one. */
  readonly tenant: string | undefined
}

export type RequestWatcher = (request: AnsweredRequest) => void

interface Equipment {
  readonly debugErrors: boolean
  readonly isClosing: () => boolean
  /** Without it nothing of the kind is done. */
  readonly hygiene?: Hygiene
  readonly nameDecision?: NameDecision
  readonly watchRequest?: RequestWatcher
}

declare module 'fastify' {
  interface FastifyInstance {
    hygiene: Hygiene | undefined
  }
}

export type InstanceOptions = Equipment & {
  readonly log: Logger
  /** Whose X-Forwarded-For says where a request comes from: that of these proxies. */
  readonly isTrusted?: IsTrusted
}

const equipment = fp<Equipment & Pick<InstanceOptions, 'log'>>(async (app, options) => {
  const { debugErrors, isClosing, hygiene, watchRequest, nameDecision, log } = options
  const continueTrace = traceContinuer()
  app.decorateRequest('stage', null)
  app.decorate('hygiene', hygiene)
  app.decorateRequest('idempotent', null)
  app.decorateRequest('refusal', null)
  app.decorateRequest('asker', null)
  app.decorateRequest('counted', null)
  app.decorateRequest('traceparent', '')
  // Before anything can refuse the request: what is logged of it names its trace.
  app.addHook('onRequest', async (request, reply) => {
    void reply.headers(securityHeaders)
    const { traceparent } = request.headers
    request.traceparent = continueTrace(typeof traceparent === 'string' ? traceparent : undefined)
    if (request.log instanceof RequestLog) request.log.traceId = traceIdOf(request.traceparent)
    hygiene?.rates.byAddress(request)
    if (hygiene?.cors.answersPreflight(request, reply)) return reply
    if (hygiene?.pressure.isHigh() && !isForOperator(request.url)) throw errors.underPressure({})
    checkUrlTexts(request)
  })
  app.addHook('preValidation', async (request) => checkBodyTexts(request.body))
  app.setErrorHandler((error, request, reply) =>
    sendProblem(error, request, reply, {
      bodyLimit: request.routeOptions.bodyLimit ?? bodyLimit,
      debug: debugErrors,
      nameDecision,
    }),
  )
  const paths = createKnownPaths()
  app.addHook('onRoute', (route) => {
    paths.add(route)
    // Open to everybody, and never large.
    if (route.url.startsWith('/v1/auth/')) route.bodyLimit ??= authBodyLimit
    else if (route.method === 'POST' && route.schema)
      route.schema = withIdempotencyKey(route.schema, route.config?.keepsAnswer === true)
  })
  app.setNotFoundHandler((request) => {
    const { method } = request
    const path = request.url.split('?')[0] ?? '/'
    const allowed = paths.methodsOf(path)
    throw allowed.length > 0
      ? errors.methodNotAllowed({ method, path, allowed })
      : errors.routeNotFound({ method, path })
  })
  app.removeContentTypeParser('text/plain')
  // Many clients send the header with an empty body, to an action that takes no input for example.
  const parseJson = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined)
    else parseJson(request, body, done)
  })
  app.addHook('onSend', async (request, reply, payload) => {
    if (request.idempotent) await hygiene?.idempotency.keep(request, reply, payload)
    hygiene?.cors.mark(request, reply)
    hygiene?.rates.tell(request, reply)
    void reply.header('x-request-id', request.id)
    if (request.traceparent !== '') void reply.header('traceparent', request.traceparent)
    // What one caller was answered is kept for nobody; a route whose answer is everybody's says otherwise.
    if (!reply.hasHeader('cache-control')) void reply.header('cache-control', 'no-store')
    // A keep-alive connection would hold the server open past its close.
    if (isClosing()) void reply.header('connection', 'close')
  })
  app.addHook('onResponse', async (request, reply) => {
    const stage: Partial<Located> | null = request.stage
    // How long somebody listens says nothing of how fast requests are answered.
    const isStream = String(reply.getHeader('content-type')).startsWith('text/event-stream')
    if (!isStream)
      watchRequest?.({
        method: request.method,
        status: reply.statusCode,
        seconds: reply.elapsedTime / 1_000,
        tenant: stage?.tenant?.id,
      })
    if (!log.isLevelEnabled('info')) return
    app.log.info(
      {
        requestId: request.id,
        traceId: traceIdOf(request.traceparent),
        // Refused on a rung after it was known whose request it is.
        tenant: stage?.tenant?.slug ?? request.asker?.tenant,
        user: stage?.actor?.id ?? request.asker?.user,
        method: request.method,
        path: request.url.split('?')[0],
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime * 10) / 10,
      },
      'request',
    )
  })
})

export async function createInstance(
  options: InstanceOptions,
  routes: (app: Instance) => void,
): Promise<Instance> {
  const { log, isTrusted, ...rest } = options
  const app = Fastify({
    loggerInstance: log,
    bodyLimit,
    ...(isTrusted && isTrusted !== trustNobody ? { trustProxy: isTrusted } : {}),
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    childLoggerFactory: (parent, names) => new RequestLog(parent, names),
    genReqId: (request) => {
      const given = request.headers['x-request-id']
      return typeof given === 'string' && acceptableRequestId.test(given) ? given : randomUUID()
    },
    forceCloseConnections: false,
    // Found before there is a route, and so outside the hooks and the error handler of the instance.
    frameworkErrors: (error, request, reply) => {
      void reply
        .headers(securityHeaders)
        .header('x-request-id', request.id)
        .header('cache-control', 'no-store')
      sendProblem(error, request, reply, { bodyLimit, debug: rest.debugErrors })
    },
    schemaController: { compilersFactory: { buildSerializer: sharedSerializers() } },
    ajv: {
      customOptions: { removeAdditional: false, coerceTypes: false, allErrors: false },
      onCreate: (ajv) => {
        for (const [name, holds] of Object.entries(storableFormats)) ajv.addFormat(name, holds)
      },
    },
    routerOptions: { maxParamLength: longestPathPart, ignoreTrailingSlash: false },
  }) as unknown as Instance
  await app.register(swagger, {
    openapi: { openapi: '3.1.0', info: { title: 'Plinth', version: '1' }, components: { securitySchemes } },
    hideUntagged: false,
  })
  await app.register(equipment, { ...rest, log })
  await app.register(fp(async (child) => routes(child as Instance)))
  await app.ready()
  return app
}
