// What the operator reads: plans, operations and plugins as sentences.
import type { Static } from 'typebox'
import type { OperationAnswer, PlanAnswer, pluginAnswer } from './operator-client.ts'

const verbs: Readonly<Record<string, string>> = {
  install: 'Installs',
  upgrade: 'Upgrades',
  rollback: 'Rolls back',
  disable: 'Disables',
  enable: 'Enables',
  remove: 'Removes',
}

const count = (number: number, one: string): string => `${number} ${number === 1 ? one : `${one}s`}`

export function planText(plan: PlanAnswer): string {
  const { kind, module, from, to, tenants, migrations } = plan
  const versions = [from && `from ${from}`, to && `to ${to}`].filter(Boolean).join(' ')
  const what = kind === 'install' ? `${to} as the module '${module}'` : `'${module}' ${versions}`.trimEnd()
  const lines = [`${verbs[kind] ?? kind} ${kind === 'install' ? `${plan.package} ` : ''}${what}.`]
  if (plan.integrity) lines.push(`Its bytes: ${plan.integrity}.`)
  if (plan.signatures)
    lines.push(`Signatures: ${plan.signatures}. Provenance: ${plan.provenance ?? 'absent'}.`)
  for (const power of plan.newAsks ?? []) lines.push(`It asks for a new power: ${power}.`)
  for (const { sentence, lock, rows, destructive } of migrations?.operations ?? []) {
    const facts = [
      rows === undefined ? '' : count(rows, 'row'),
      lock ? `lock ${lock}` : '',
      destructive ? 'cannot be brought back' : '',
    ].filter((fact) => fact !== '')
    lines.push(`Tables: ${sentence}${facts.length > 0 ? ` (${facts.join(', ')})` : ''}`)
  }
  if (plan.holdsRequests) {
    lines.push('Requests of the module wait meanwhile, and there is no way back to the version before:')
    for (const reason of migrations?.reasons ?? []) lines.push(`  ${reason}`)
  }
  const more = tenants.count > tenants.slugs.length ? ', ...' : ''
  lines.push(
    tenants.count === 0
      ? 'No tenant has the module enabled.'
      : `${count(tenants.count, 'tenant')} affected: ${tenants.slugs.join(', ')}${more}.`,
  )
  if (kind === 'remove') lines.push('Every record of it is deleted for good.')
  for (const refusal of plan.refusals) lines.push(`Refused: ${refusal}`)
  return lines.join('\n')
}

export function operationText({ id, kind, module, version, state, done, error }: OperationAnswer): string {
  const subject = [kind, module, version].filter((part) => part !== null).join(' ')
  const steps = done.length === 0 ? '' : ` (${done.join(', ')})`
  return `${id}  ${subject}: ${state}${steps}${error === null ? '' : `\n  ${error.code}: ${error.message}`}`
}

export function pluginText(plugin: Static<typeof pluginAnswer>): string {
  const channels = (['stable', 'beta', 'candidate'] as const)
    .filter((channel) => plugin[channel] !== null)
    .map((channel) => `${channel} ${String(plugin[channel])}`)
  const pins = plugin.pins.length === 0 ? [] : [`pinned ${plugin.pins.join(' ')}`]
  const facts = [plugin.state, ...channels, ...pins, count(plugin.tenants, 'tenant')]
  return `${plugin.module}  ${plugin.package}: ${facts.join(', ')}; ${plugin.versions.map((one) => one.version).join(' ')}`
}
