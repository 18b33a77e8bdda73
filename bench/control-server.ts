// The control: the same work as the kernel's generic routes with Fastify, pg and a JWT check, and nothing else.
// Started by run.ts as a process of its own: node bench/control-server.ts <connection as JSON> <tenant id> <secret>
import { randomUUIDv7 } from 'node:crypto'
import { createVerifier } from 'fast-jwt'
import Fastify, { type FastifyRequest } from 'fastify'
import pg from 'pg'

const [connection = '{}', tenant = '', secret = ''] = process.argv.slice(2)
const pool = new pg.Pool({ ...JSON.parse(connection), max: 16 })
const verify = createVerifier({ key: secret, cache: true })
const app = Fastify({ logger: false })

app.addHook('onRequest', async (request: FastifyRequest) => {
  verify((request.headers.authorization ?? '').slice(7))
})

const columns = `id, version, created_at, created_by, updated_at, updated_by, code, name, price_amount, price_currency,
  quantity, active`

async function getItem(id: string): Promise<unknown> {
  const { rows } = await pool.query({
    name: 'get',
    text: `SELECT ${columns} FROM plugin_items.item WHERE tenant_id = $1 AND id = $2`,
    values: [tenant, id],
  })
  return rows[0]
}

app.get<{ Params: { id: string } }>('/items/:id', async (request) => getItem(request.params.id))

app.get<{ Querystring: { id: string; queries: string } }>('/work', async (request) => {
  const { id, queries } = request.query
  let found: unknown = { id }
  for (let n = 0; n < Number(queries); n += 1) found = await getItem(id)
  return found
})

app.get('/items', async () => {
  const { rows } = await pool.query({
    name: 'list',
    text: `SELECT ${columns} FROM plugin_items.item WHERE tenant_id = $1 ORDER BY id LIMIT 20`,
    values: [tenant],
  })
  return { items: rows }
})

interface NewItem {
  code: string
  name: string
  price: { amount: string; currency: string }
  quantity: number
}

app.post<{ Body: NewItem }>('/items', async (request, reply) => {
  const { code, name, price, quantity } = request.body
  const { rows } = await pool.query({
    name: 'create',
    text: `INSERT INTO plugin_items.item (tenant_id, id, version, created_at, created_by, updated_at, updated_by, code, name, price_amount, price_currency, quantity, active)
           VALUES ($1, $2, 1, now(), 'bench', now(), 'bench', $3, $4, $5, $6, $7, true) RETURNING ${columns}`,
    values: [tenant, randomUUIDv7(), code, name, price.amount, price.currency, quantity],
  })
  return reply.code(201).send(rows[0])
})

await app.listen({ port: 0, host: '127.0.0.1' })
const [address] = app.addresses()
process.stdout.write(`control at http://127.0.0.1:${typeof address === 'object' ? address.port : ''}\n`)
