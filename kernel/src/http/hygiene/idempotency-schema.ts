import type { FastifySchema } from 'fastify'

const idempotencyKey = {
  type: 'string',
  description:
    'A key of your choice. The same request with the same key is carried out once, and answered as it was.',
}

/** The schema of a POST route with the header that each of them honours. Its form is checked where it is used. */
export function withIdempotencyKey(schema: FastifySchema, keepsAnswer: boolean): FastifySchema {
  const headers = (schema.headers ?? {}) as { readonly properties?: object }
  const properties = { ...headers.properties, 'idempotency-key': idempotencyKey }
  return {
    ...schema,
    headers: { type: 'object', ...headers, properties },
    ...{ 'x-answer-kept': keepsAnswer ? 'with the change' : 'behind the change' },
  }
}
