// /v1/operator/plugins: what is installed, and everything that can be done to it while the kernel runs. A change is an
// operation: 200 when it has ended within a moment, else 202 and an address to ask again.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { errors } from '../errors.ts'
import type { ChangeRequest, Lifecycle } from '../lifecycle/lifecycle.ts'
import type { OperationOptions } from '../lifecycle/operation.ts'
import type { PluginAdministration } from '../lifecycle/plugin-administration.ts'
import type { Operated } from '../stages.ts'
import type { Instance } from './create-instance.ts'
import { atRung, type Ladder } from './ladder.ts'
import { operationView } from './operation-routes.ts'
import {
  type ChoiceBody,
  choiceBody,
  type InstallBody,
  type IsolationBody,
  installBody,
  isolationBody,
  operationShape,
  planShape,
  pluginShape,
  type RemoveBody,
  type RollbackBody,
  removeBody,
  rollbackBody,
  switchBody,
  type UpgradeBody,
  upgradeBody,
} from './operator-schemas.ts'
import { listOf, problemResponses } from './schemas.ts'

const tags = ['Operator']
const moduleOf = (request: FastifyRequest): string => (request.params as { module: string }).module

export function operatorRoutes(
  app: Instance,
  ladder: Ladder,
  parts: { readonly lifecycle: Lifecycle; readonly administration: PluginAdministration },
): void {
  const { lifecycle, administration } = parts

  async function change(
    stage: Operated,
    reply: FastifyReply,
    request: ChangeRequest,
    dryRun: boolean | undefined,
  ): Promise<unknown> {
    if (dryRun) return lifecycle.plan(request)
    const operation = await lifecycle.begin(request, stage)
    const isOver = operation.state === 'succeeded' || operation.state === 'failed'
    return reply
      .code(isOver ? 200 : 202)
      .header('location', `/v1/operator/operations/${operation.id}`)
      .send(operationView(operation))
  }

  const changing = (summary: string, body: object) => ({
    schema: {
      tags,
      summary,
      body,
      response: {
        200: { description: 'The operation has ended, or the plan.', anyOf: [operationShape, planShape] },
        202: operationShape,
        ...problemResponses,
      },
    },
    // Without a body nothing is chosen.
    preValidation: async (request: FastifyRequest) => {
      request.body ??= {}
    },
  })
  /** Keys that were not sent are not among the options. */
  const given = <T extends object>(options: T): Partial<T> =>
    Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>

  app.route({
    method: 'GET',
    url: '/v1/operator/plugins',
    schema: {
      tags,
      summary: 'Every plugin: its versions, and which serve whom',
      response: { 200: listOf(pluginShape), ...problemResponses },
    },
    ...atRung(ladder.operated, async () => ({ items: await administration.list() })),
  })
  app.route({
    method: 'GET',
    url: '/v1/operator/plugins/:module',
    schema: { tags, summary: 'One plugin', response: { 200: pluginShape, ...problemResponses } },
    ...atRung(ladder.operated, async (_stage, request) => administration.get(moduleOf(request))),
  })
  app.route({
    method: 'POST',
    url: '/v1/operator/plugins',
    ...changing('Install a plugin from the registry', installBody),
    ...atRung(ladder.operated, async (stage, request, reply) => {
      const { dryRun, package: name, version, ...options } = request.body as InstallBody
      const what: ChangeRequest = {
        kind: 'install',
        package: name,
        options: given(options) as OperationOptions,
        ...(version === undefined ? {} : { version }),
      }
      return change(stage, reply, what, dryRun)
    }),
  })
  app.route({
    method: 'POST',
    url: '/v1/operator/plugins/:module/upgrade',
    ...changing('Serve another version, at once or to some tenants first', upgradeBody),
    ...atRung(ladder.operated, async (stage, request, reply) => {
      const { dryRun, version, ...options } = request.body as UpgradeBody
      if (options.channel === 'beta' && options.canary)
        throw errors.validation({
          errors: [{ field: 'canary', code: 'INVALID', message: 'is for the stable channel.' }],
        })
      const what: ChangeRequest = {
        kind: 'upgrade',
        module: moduleOf(request),
        options: given(options) as OperationOptions,
        ...(version === undefined ? {} : { version }),
      }
      return change(stage, reply, what, dryRun)
    }),
  })
  app.route({
    method: 'POST',
    url: '/v1/operator/plugins/:module/rollback',
    ...changing('Serve the version before again', rollbackBody),
    ...atRung(ladder.operated, async (stage, request, reply) => {
      const { dryRun, version } = request.body as RollbackBody
      const options = version === undefined ? {} : { version }
      return change(
        stage,
        reply,
        { kind: 'rollback', module: moduleOf(request), options: {}, ...options },
        dryRun,
      )
    }),
  })
  for (const kind of ['disable', 'enable'] as const) {
    app.route({
      method: 'POST',
      url: `/v1/operator/plugins/:module/${kind}`,
      ...changing(kind === 'disable' ? 'Serve the module to nobody' : 'Serve it again', switchBody),
      ...atRung(ladder.operated, async (stage, request, reply) => {
        const { dryRun } = request.body as { dryRun?: boolean }
        return change(stage, reply, { kind, module: moduleOf(request), options: {} }, dryRun)
      }),
    })
  }
  app.route({
    method: 'DELETE',
    url: '/v1/operator/plugins/:module',
    ...changing('Remove a plugin with all its data, and get a receipt of what went', removeBody),
    ...atRung(ladder.operated, async (stage, request, reply) => {
      const { dryRun, confirm, force } = request.body as RemoveBody
      const module = moduleOf(request)
      if (!dryRun && confirm !== module) {
        const message = `must be '${module}': every tenant's records of it are deleted for good.`
        throw errors.validation({ errors: [{ field: 'confirm', code: 'INVALID', message }] })
      }
      return change(stage, reply, { kind: 'remove', module, options: force ? { force } : {} }, dryRun)
    }),
  })
  app.route({
    method: 'PUT',
    url: '/v1/operator/plugins/:module/isolation',
    schema: {
      tags,
      summary: 'How its hosts are walled in',
      body: isolationBody,
      response: { 200: pluginShape, ...problemResponses },
    },
    ...atRung(ladder.operated, async (stage, request) =>
      administration.isolate(moduleOf(request), request.body as IsolationBody, stage),
    ),
  })
  app.route({
    method: 'PUT',
    url: '/v1/operator/tenants/:tenant/modules/:module',
    schema: {
      tags,
      summary: 'Which version a tenant is served: a channel, or one exact version',
      body: choiceBody,
      response: { 200: pluginShape, ...problemResponses },
    },
    ...atRung(ladder.operated, async (stage, request) => {
      const { tenant, module } = request.params as { tenant: string; module: string }
      return administration.choose(tenant, module, request.body as ChoiceBody, stage)
    }),
  })
}
