// Names by DNS itself, without the system's resolver: that one holds a thread for each name, of four that files, passwords
// and decompression need too, and webhooks of many tenants would wait for each other's dead name servers.
import { Resolver } from 'node:dns/promises'
import type { World } from './world.ts'

const timeoutMs = 2_000
const tries = 2

/** `system` are names that are the operator's own and may stand in a hosts file. Rejects when DNS knows no address. */
export function resolveNames(
  world: World,
  {
    servers,
    system,
  }: { readonly servers: readonly string[] | undefined; readonly system: ReadonlySet<string> },
): World {
  return {
    ...world,
    async lookup(name) {
      if (system.has(name)) return world.lookup(name)
      // One for each question: a resolver that is shared would keep its failures between tenants.
      const resolver = new Resolver({ timeout: timeoutMs, tries })
      if (servers) resolver.setServers(servers)
      const [four, six] = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)])
      if (four.status === 'rejected' && six.status === 'rejected') throw four.reason
      return [four, six].flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
    },
  }
}
