// A plugin's own route: the handler's answer goes to the client as it left the sandbox.
import type { RouteSpec } from '@plinth/sdk'
import type { Work } from '../broker/work.ts'
import { jsonSchemaForFields } from '../data/field-kinds/json-schema.ts'
import { parseFields } from '../data/field-kinds/parse-fields.ts'
import { decidingRule } from '../permissions/build-ability.ts'
import { jsonTextAnswer, sendAnswer } from './answer.ts'
import type { Instance } from './create-instance.ts'
import { keepsAnswer } from './keeping-answer.ts'
import { atRung } from './ladder.ts'
import type { ModuleParts } from './module-parts.ts'
import { moduleProblems, tenantHeader } from './schemas.ts'

export function pluginRoute(app: Instance, parts: ModuleParts, name: string, spec: RouteSpec): void {
  const { plugin, ladder, withWork } = parts
  const problems = moduleProblems(plugin.manifest.errors)
  const isGet = spec.method === 'GET'
  app.route({
    method: spec.method,
    url: `/v1/${plugin.manifest.name}${spec.path}`,
    schema: {
      tags: [plugin.manifest.title],
      summary: spec.title,
      headers: tenantHeader,
      ...(isGet
        ? { querystring: jsonSchemaForFields(spec.query, 'input') }
        : { body: jsonSchemaForFields(spec.input, 'input') }),
      response: {
        200: spec.returns ? jsonSchemaForFields(spec.returns, 'output') : { description: 'The answer.' },
        ...problems,
      },
    },
    ...keepsAnswer,
    ...atRung(
      ladder.permitted(plugin, { name: `route.${name}`, subject: 'route', verb: name }),
      async (stage, request, reply) => {
        const input = isGet
          ? parseFields(spec.query, request.query, { coerce: true })
          : parseFields(spec.input, request.body ?? {})
        const lender = decidingRule(stage.ability, name, 'route')?.source.lender
        const run = (work: Work) => work.inNameOf(lender).runText({ kind: 'route', route: name }, input)
        const answer = (text: string) => jsonTextAnswer(200, text)
        const text = await withWork(stage, run, { entersPlugin: true, answer })
        return sendAnswer(reply, answer(text))
      },
      { entersPlugin: true },
    ),
  })
}
