// In which modules this process works off tasks, and who is inside: what is upgraded or removed is waited for as requests
// are.
import { errors } from '../errors.ts'
import type { LoadedPlugin } from '../registry/load-plugin.ts'
import type { OpenDoors } from '../registry/plugin-registry.ts'
import type { TurnStore } from './turn-store.ts'

export interface ModuleWorkers {
  /** As `open`, and for tasks as for requests. */
  withDoors(open: OpenDoors): OpenDoors
  /** Whether tasks of the module may be taken here. */
  works(module: string): boolean
  /** Counts a task as inside, until what it answers is called. @throws MODULE_UNAVAILABLE */
  enter(plugin: LoadedPlugin): () => void
}

const pollMs = 20
const leaveMs = 10_000
/** Seconds until somebody looks whether a module that is held is there again. */
const heldSeconds = 1

const queuesOf = ({ manifest: { name, on, jobs } }: LoadedPlugin): string[] => [
  ...(Object.keys(on).length > 0 ? [`events.${name}`] : []),
  ...(Object.keys(jobs).length > 0 ? [`jobs.${name}`] : []),
]

export function createModuleWorkers(
  store: Pick<TurnStore, 'stop'>,
  work: (queue: string) => void,
): ModuleWorkers {
  const inside = new Map<LoadedPlugin, number>()
  let working: ReadonlySet<string> = new Set()
  let queues: ReadonlySet<string> = new Set()

  async function left(isGone: (plugin: LoadedPlugin) => boolean): Promise<void> {
    const until = performance.now() + leaveMs
    while ([...inside.keys()].some(isGone) && performance.now() < until)
      await new Promise((resolve) => setTimeout(resolve, pollMs))
  }

  return {
    withDoors: (open) => async (served, unserved) => {
      working = new Set([...served.keys()].filter((module) => !unserved.has(module)))
      const plugins = new Set([...served.values()].flatMap(({ versions }) => [...versions.values()]))
      const wanted = new Set([...plugins].flatMap(queuesOf))
      for (const queue of queues) if (!wanted.has(queue)) void store.stop(queue)
      queues = wanted
      for (const queue of wanted) work(queue)
      const [doors] = await Promise.all([
        open(served, unserved),
        left(({ manifest: { name } }) => !working.has(name)),
      ])
      return { emptied: Promise.all([doors.emptied, left((plugin) => !plugins.has(plugin))]) }
    },
    works: (module) => working.has(module),
    enter(plugin) {
      const module = plugin.manifest.name
      if (!working.has(module)) throw errors.moduleUnavailable({ module, retryAfter: heldSeconds })
      inside.set(plugin, (inside.get(plugin) ?? 0) + 1)
      return () => {
        const count = (inside.get(plugin) ?? 1) - 1
        if (count > 0) inside.set(plugin, count)
        else inside.delete(plugin)
      }
    },
  }
}
