// Carries out one step of a migration. Each is safe to repeat when the process died in the middle of it.
import pg from 'pg'
import { quoteName } from '../sql-names.ts'
import { takeCanonicalNames } from './canonical-names.ts'
import type { MigrationSession } from './migration-session.ts'
import type { Step } from './migration-steps.ts'

export async function runStep(
  session: MigrationSession,
  schema: string,
  step: Step,
  fill: (step: Step & { readonly kind: 'fill' }) => Promise<void>,
): Promise<void> {
  switch (step.kind) {
    case 'ddl':
      return session.inside(async () => {
        for (const { text } of step.statements) await session.owner.query(text)
        if (step.renames) await takeCanonicalNames(session.owner, schema)
      })
    case 'index':
      return session.outside(() => buildIndex(session.owner, schema, step))
    case 'validate':
      await session.inside(async () => {
        // Left over when an earlier try died between adding and proving.
        await session.owner.query(step.undo)
        for (const { text } of step.add) await session.owner.query(text)
      })
      return session.outside(() => prove(session.owner, step))
    case 'fill':
      return session.outside(() => fill(step))
  }
}

async function buildIndex(
  owner: pg.Client,
  schema: string,
  { name, statement, problem }: Step & { readonly kind: 'index' },
): Promise<void> {
  const drop = () => owner.query(`drop index concurrently if exists ${quoteName(schema)}.${quoteName(name)}`)
  const { rows } = await owner.query<{ valid: boolean }>(
    `select i.indisvalid as valid from pg_index i join pg_class x on x.oid = i.indexrelid
      where x.relnamespace = to_regnamespace($1) and x.relname = $2`,
    [schema, name],
  )
  if (rows[0]?.valid) return
  if (rows[0]) await drop()
  try {
    await owner.query(statement.text)
  } catch (error) {
    // Half an index costs every write and serves no read.
    await drop()
    throw isViolation(error) ? new Error(problem, { cause: error }) : error
  }
}

async function prove(owner: pg.Client, step: Step & { readonly kind: 'validate' }): Promise<void> {
  try {
    for (const { text } of step.prove) await owner.query(text)
  } catch (error) {
    if (!isViolation(error)) throw error
    await owner.query(step.undo)
    throw new Error(step.problem, { cause: error })
  }
}

/** unique_violation, foreign_key_violation, check_violation */
const isViolation = (error: unknown): boolean =>
  error instanceof pg.DatabaseError && ['23505', '23503', '23514'].includes(error.code ?? '')
