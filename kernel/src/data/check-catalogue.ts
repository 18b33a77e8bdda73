// What must be true of a plugin's schema, asked of PostgreSQL's own catalogue after every migration and at start.
// Each rule closes a way round row-level security that was tried out (sandbox.md, sections 1 and 2).
import type pg from 'pg'
import type { CatalogueRules } from './check-catalogue/catalogue-rule.ts'
import { codeRules } from './check-catalogue/code-rules.ts'
import { roleRules } from './check-catalogue/role-rules.ts'
import { tableRules } from './check-catalogue/table-rules.ts'
import { tenantPolicy } from './plugin-migrations/plugin-ddl.ts'

export type { CatalogueRules } from './check-catalogue/catalogue-rule.ts'

/** Sentences about what is not as it must be; none when all is well. */
export async function checkCatalogue(client: pg.Client, rules: CatalogueRules): Promise<string[]> {
  const values = { ...rules, policy: tenantPolicy }
  const sentences: string[] = []
  for (const { given, text } of [...tableRules, ...codeRules, ...roleRules]) {
    const { rows } = await client.query<{ wrong: string }>(
      text,
      given.map((name) => values[name]),
    )
    sentences.push(...rows.map((row) => row.wrong))
  }
  return sentences
}
