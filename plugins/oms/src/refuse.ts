// `fail` with this plugin's codes, so that a misspelt one does not compile.

import { fail } from '@plinth/sdk'
import type { RefusalCode } from './refusals.ts'

export function refuse(code: RefusalCode, data: Readonly<Record<string, string | number>>): never {
  return fail(code, data)
}
