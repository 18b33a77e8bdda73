// What a module itself may do, for everybody who uses it: `finance.needs.sql.write`, `finance.needs.http.api.example.com`.
import type { Manifest } from '@plinth/sdk'
import type { Tenant } from '../stages.ts'
import type { Question } from './decision.ts'
import type { Explanation, Step } from './explain.ts'

/** Undefined for a question that is not about the grant of a module. */
export function explainGrant(
  tenant: Pick<Tenant, 'consents'>,
  manifests: readonly Manifest[],
  question: Question,
): Explanation | undefined {
  const [, module = '', need = '', what = ''] =
    /^([a-z0-9]+)\.needs\.(sql|http)\.(.+)$/.exec(question.action) ?? []
  const manifest = manifests.find(({ name }) => name === module)
  if (!manifest) return undefined
  const { sql, http = [] } = manifest.needs
  const asks = need === 'sql' ? sql === 'write' || sql === what : http.includes(what)
  const consented = need === 'sql' || (tenant.consents.get(module)?.http.includes(what) ?? false)
  const steps: Step[] = [
    { layer: 'entitlement', passes: true, says: `The module '${module}' is enabled.` },
    {
      layer: 'plugin',
      passes: asks && consented,
      says: asks
        ? consented
          ? 'The module asks for it and has it.'
          : 'The module asks for it, and the tenant has not consented.'
        : 'The manifest of the module does not ask for it.',
    },
  ]
  const text = asks
    ? `Consent to '${what}' for the module '${module}'.`
    : `A version of '${module}' whose manifest asks for it.`
  return {
    question,
    allowed: asks && consented,
    decidedBy: 'plugin',
    steps,
    changes: asks && consented ? [] : [{ kind: 'enableModule', text }],
  }
}
