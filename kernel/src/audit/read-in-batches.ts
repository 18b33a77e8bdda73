// The rows of one query, some thousand at a time: as much memory for a million as for a few. Within the caller's
// transaction, one query of a name at a time.
import type pg from 'pg'

export type AuditClient = Pick<pg.ClientBase, 'query'>

const batch = 5_000

export async function* readInBatches<Row extends pg.QueryResultRow>(
  client: AuditClient,
  name: string,
  query: string,
): AsyncGenerator<Row, void, undefined> {
  // A cursor takes no parameters in its name or its FETCH; `name` and `query` are texts of ours.
  await client.query(`DECLARE ${name} NO SCROLL CURSOR FOR ${query}`)
  for (;;) {
    const { rows } = await client.query<Row>(`FETCH ${batch} FROM ${name}`)
    yield* rows
    if (rows.length < batch) break
  }
  await client.query(`CLOSE ${name}`)
}
