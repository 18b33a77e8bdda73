// The rows of errors.ts on what an operator asked for, and packages.
import { defineError } from '../plinth-error.ts'

export const operatorErrors = {
  auditVerifying: defineError<Record<string, never>>(
    'AUDIT_VERIFYING',
    409,
    'info',
    () => 'Another verification of an audit trail has not ended. Ask again when it has.',
  ),
  pluginNotFound: defineError<{ module: string }>(
    'PLUGIN_NOT_FOUND',
    404,
    'info',
    (d) => `No plugin that provides the module '${d.module}' is installed. See GET /v1/operator/plugins.`,
  ),
  pluginInstalled: defineError<{ module: string; package: string }>(
    'PLUGIN_INSTALLED',
    409,
    'info',
    (d) => `The module '${d.module}' is provided by ${d.package} already. Upgrade it instead.`,
  ),
  pluginInUse: defineError<{ module: string; tenants: number }>(
    'PLUGIN_IN_USE',
    409,
    'info',
    (d) =>
      `${d.tenants} tenants have the module '${d.module}' enabled. Send "force": true to switch it off for them.`,
  ),
  pluginChange: defineError<{ module: string; reason: string }>(
    'PLUGIN_CHANGE_REFUSED',
    409,
    'info',
    (d) => d.reason,
  ),
  moduleNeeds: defineError<{ module: string; needs: readonly string[] }>(
    'MODULE_NEEDS_UNMET',
    409,
    'info',
    (d) => d.needs.join(' '),
  ),
  operationUnderWay: defineError<{ subject: string }>(
    'OPERATION_UNDER_WAY',
    409,
    'info',
    (d) => `Another operation on '${d.subject}' has not ended. See GET /v1/operator/operations.`,
  ),
  operationNotFound: defineError<{ id: string }>(
    'OPERATION_NOT_FOUND',
    404,
    'info',
    (d) => `There is no operation '${d.id}'.`,
  ),
  versionNotFound: defineError<{ module: string; version: string }>(
    'VERSION_NOT_FOUND',
    404,
    'info',
    (d) => `The module '${d.module}' has no version ${d.version} in this installation.`,
  ),
  canaryFailed: defineError<{
    module: string
    version: string
    requests: number
    failures: number
    errorRate: number
  }>('CANARY_FAILED', 409, 'warn', (d) =>
    d.requests === 0
      ? `Nobody tried version ${d.version} of '${d.module}'. It was taken back.`
      : `Version ${d.version} of '${d.module}' failed in ${d.failures} of ${d.requests} requests, more than the ${d.errorRate} allowed. It was taken back.`,
  ),
  packageNotFound: defineError<{ package: string; version: string; registry: string }>(
    'PACKAGE_NOT_FOUND',
    404,
    'info',
    (d) => `The registry ${d.registry} has no package '${d.package}' in the version '${d.version}'.`,
  ),
  packageRefused: defineError<{ package: string; version: string; reason: string; detail: string }>(
    'PACKAGE_REFUSED',
    422,
    'warn',
    (d) => `The package '${d.package}' ${d.version} is refused (${d.reason}): ${d.detail}`,
  ),
  registryUnavailable: defineError<{ registry: string; detail: string }>(
    'REGISTRY_UNAVAILABLE',
    503,
    'warn',
    (d) => `The registry ${d.registry} cannot be used: ${d.detail}`,
  ),
}
