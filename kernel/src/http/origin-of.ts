// Where a request comes from, with the program that sent it.
import type { FastifyRequest } from 'fastify'
import type { Origin } from '../identity/origin.ts'
import type { Arrival } from '../stages.ts'

export function originOf({ requestId, address }: Arrival, request: FastifyRequest): Origin {
  const userAgent = request.headers['user-agent']
  return { requestId, address, ...(userAgent === undefined ? {} : { userAgent }) }
}
