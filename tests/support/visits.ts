// A plugin in several versions, for tests of what happens to a plugin while it is served.

interface Version {
  /** Fields of a visit beside `who`. */
  readonly fields?: string
  /** Instead of `who`. */
  readonly who?: string
  readonly routes?: string
  readonly rest?: string
  readonly name?: string
}

/** `GET /v1/visits/version` tells which version answers; `POST /v1/visits/wait` waits for a record's lock before. */
export const visits = (
  version: string,
  { fields = '', who = 'who', routes = '', rest = '', name = 'visits' }: Version = {},
): string => `
import { definePlugin, entity, t, use } from '@plinth/sdk'
void use
const visit = entity('Visit', { ${who}: t.text().range(1, 200), ${fields} })
export default definePlugin({
  name: '${name}', title: 'Visits ${version}',
  entities: { visit },
  routes: {
    version: { method: 'GET', path: '/version', run: () => ({ version: '${version}' }) },
    wait: {
      method: 'POST', path: '/wait', input: { visit: t.ref('visit') },
      async run(ctx, { visit }) {
        await ctx.entities.visit.lock(visit)
        return { version: '${version}' }
      },
    },
    ${routes}
  },
  ${rest}
})`
