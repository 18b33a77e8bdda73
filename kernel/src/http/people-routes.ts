// /v1/operator/people: who has an account in the installation, and who may not use it.
import type { IdentityParts } from '../identity/identity-parts.ts'
import { disablePerson, enablePerson, removeFactors } from '../identity/people.ts'
import { listPersons, type Person } from '../identity/persons.ts'
import type { Instance } from './create-instance.ts'
import { keepingAnswer } from './keeping-answer.ts'
import { atRung, type Ladder } from './ladder.ts'
import { pageOf, profileOf } from './me-routes.ts'
import {
  type DisableBody,
  disableBody,
  type PersonQuery,
  personQuery,
  personShape,
} from './people-schemas.ts'
import { listOf, problemResponses } from './schemas.ts'

const tags = ['Operator']
const view = (person: Person) => ({ ...profileOf(person), isDisabled: person.isDisabled })
const shown = (person: Person) => ({ body: view(person) })

export function peopleRoutes(
  app: Instance,
  ladder: Ladder,
  parts: Pick<IdentityParts, 'runControl' | 'outbox'>,
): void {
  app.route({
    method: 'GET',
    url: '/v1/operator/people',
    schema: {
      tags,
      summary: 'Who has an account',
      querystring: personQuery,
      response: { 200: listOf(personShape), ...problemResponses },
    },
    ...atRung(ladder.operated, async (_operated, request) => {
      const { email, ...page } = request.query as PersonQuery
      const asked = { ...pageOf(page), ...(email === undefined ? {} : { email }) }
      const { items, ...rest } = await parts.runControl((tx) => listPersons(tx, asked))
      return { items: items.map(view), ...rest }
    }),
  })
  app.route({
    method: 'POST',
    url: '/v1/operator/people/:userId/disable',
    schema: {
      tags,
      summary: 'Shut a person out of the installation; ends all his sessions',
      body: disableBody,
      response: { 200: personShape, ...problemResponses },
    },
    ...keepingAnswer(ladder.operated, parts.runControl, (operated, request, keep) => {
      const { userId } = request.params as { userId: string }
      const { reason } = request.body as DisableBody
      return keep((run) => disablePerson({ ...parts, runControl: run }, userId, reason, operated), shown)
    }),
  })
  app.route({
    method: 'POST',
    url: '/v1/operator/people/:userId/enable',
    schema: {
      tags,
      summary: 'Let a person in again',
      response: { 200: personShape, ...problemResponses },
    },
    ...keepingAnswer(ladder.operated, parts.runControl, (operated, request, keep) => {
      const { userId } = request.params as { userId: string }
      return keep((run) => enablePerson({ ...parts, runControl: run }, userId, operated), shown)
    }),
  })
  app.route({
    method: 'POST',
    url: '/v1/operator/people/:userId/remove-factors',
    schema: {
      tags,
      summary: 'Take the codes and passkeys of a person away who has lost them; ends all his sessions',
      response: { 200: personShape, ...problemResponses },
    },
    ...keepingAnswer(ladder.operated, parts.runControl, (operated, request, keep) => {
      const { userId } = request.params as { userId: string }
      return keep((run) => removeFactors({ ...parts, runControl: run }, userId, operated), shown)
    }),
  })
}
