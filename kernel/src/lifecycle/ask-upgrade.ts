// The upgrade that a kernel process asks for when it starts with a newer version in its folder than the one that is
// served, and the tables have to change in a way that this one could not live with.
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import type { Logger } from 'pino'
import { insertOperation } from './operation.ts'

export async function askUpgrade(
  parts: { readonly pool: pg.Pool; readonly log: Logger },
  module: string,
  version: string,
): Promise<void> {
  const { pool, log } = parts
  try {
    await insertOperation(pool, {
      id: randomUUID(),
      kind: 'upgrade',
      module,
      package: null,
      version,
      options: {},
      startedBy: 'installation',
      requestId: 'start',
    })
    log.info(
      { module, version },
      'the version in the folder is upgraded to; the one before is served meanwhile',
    )
  } catch (error) {
    // unique_violation: another process asks for the same, or an operator is changing the module.
    if (!(error instanceof pg.DatabaseError && error.code === '23505')) throw error
    log.warn({ module, version }, 'the version in the folder waits: an operation on the module is under way')
  }
}
