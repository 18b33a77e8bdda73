// Every error the kernel can answer with: code, HTTP status, log level and message, declared once, by what they are about.
// docs/errors.md is checked against this table. Codes are wire names: they never change and are never reused.
import { accessErrors } from './errors/access-errors.ts'
import { approvalErrors } from './errors/approval-errors.ts'
import { credentialErrors } from './errors/credential-errors.ts'
import { identityErrors } from './errors/identity-errors.ts'
import { kernelErrors } from './errors/kernel-errors.ts'
import { operatorErrors } from './errors/operator-errors.ts'
import { pluginErrors } from './errors/plugin-errors.ts'
import { queueErrors } from './errors/queue-errors.ts'
import { recordErrors } from './errors/record-errors.ts'
import { requestErrors } from './errors/request-errors.ts'
import { tenantErrors } from './errors/tenant-errors.ts'

export {
  type ErrorDefinition,
  type ErrorLevel,
  type FieldError,
  isPlinthError,
  PlinthError,
} from './plinth-error.ts'

export const errors = {
  ...requestErrors,
  ...identityErrors,
  ...credentialErrors,
  ...tenantErrors,
  ...accessErrors,
  ...recordErrors,
  ...approvalErrors,
  ...operatorErrors,
  ...pluginErrors,
  ...queueErrors,
  ...kernelErrors,
}
