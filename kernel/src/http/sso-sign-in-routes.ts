// /v1/auth/sso: to a tenant's identity provider and back. A browser walks these; a client fetches the session.
import { errors } from '../errors.ts'
import type { SignInFlow } from '../identity/sso/sign-in-flow.ts'
import { browserCookie } from './browser-cookie.ts'
import type { Instance } from './create-instance.ts'
import { atRung, type Ladder } from './ladder.ts'
import { problemResponses, signedIn } from './schemas.ts'
import { callbackQuery, type StartQuery, startQuery, type TicketBody, ticketBody } from './sso-schemas.ts'

export const callbackPath = '/v1/auth/sso/callback'
export function ssoSignInRoutes(
  app: Instance,
  ladder: Ladder,
  parts: { readonly flow: SignInFlow; readonly publicUrl: string },
): void {
  const { flow, publicUrl } = parts
  const cookie = browserCookie(publicUrl)
  const common = { tags: ['Identity'], security: [] }
  const elsewhere = { description: 'Go on there.', type: 'null' }

  app.route({
    method: 'GET',
    url: '/v1/auth/sso/start',
    schema: {
      ...common,
      summary: 'To the identity provider of an e-mail domain or a tenant',
      querystring: startQuery,
      response: { 302: elsewhere, ...problemResponses },
    },
    ...atRung(ladder.arrived, async (_arrival, request, reply) => {
      const { email, tenant, returnTo } = request.query as StartQuery
      const named = email !== undefined ? { email } : tenant !== undefined ? { tenant } : undefined
      if (!named || (email !== undefined && tenant !== undefined)) {
        const message = 'name either an e-mail address or a tenant'
        throw errors.validation({ errors: [{ field: 'email', code: 'REQUIRED', message }] })
      }
      const { url, browser } = await flow.start(named, cookie.read(request.headers.cookie), returnTo)
      return reply
        .header('set-cookie', cookie.write(browser))
        .header('cache-control', 'no-store')
        .redirect(url.href, 302)
    }),
  })
  app.route({
    method: 'GET',
    url: callbackPath,
    schema: {
      ...common,
      summary: 'Back from the identity provider: a session, or on to the client with a ticket for one',
      querystring: callbackQuery,
      response: { 200: signedIn, 302: elsewhere, ...problemResponses },
    },
    ...atRung(ladder.arrived, async (arrival, request, reply) => {
      const at = request.url.indexOf('?')
      const { state } = request.query as { state?: string }
      const search = at === -1 ? '' : request.url.slice(at)
      const result = await flow.finish(arrival, {
        search,
        state,
        browser: cookie.read(request.headers.cookie),
      })
      void reply.header('cache-control', 'no-store').header('referrer-policy', 'no-referrer')
      if ('token' in result) return result
      return reply.redirect(publicUrl + result.returnTo, 302)
    }),
  })
  app.route({
    method: 'POST',
    url: '/v1/auth/sso/session',
    schema: {
      ...common,
      summary: 'The session for a ticket that the client was called with',
      body: ticketBody,
      response: { 200: signedIn, ...problemResponses },
    },
    ...atRung(ladder.arrived, async (arrival, request, reply) => {
      void reply.header('cache-control', 'no-store')
      return flow.redeem(arrival, (request.body as TicketBody).ticket)
    }),
  })
}
