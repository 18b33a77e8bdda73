// A module acts on an event of another: its subscriber runs in the sandbox with the module's own right, in the name of
// whoever caused the event.
import type { Manifest } from '@plinth/sdk'
import semver from 'semver'
import { errors } from '../errors.ts'
import type { WithWork } from '../http/module-parts.ts'
import type { ModuleWorkers } from './module-workers.ts'
import { type RunTask, Skipped } from './run-task.ts'
import type { TaskStage } from './task-stage.ts'

export interface RunEventParts {
  readonly stageOf: TaskStage
  readonly withWork: WithWork
  readonly enter: ModuleWorkers['enter']
}

/** @throws EVENT_VERSION_MISMATCH */
function checkVersion(manifest: Manifest, event: string, version: string | null): void {
  const [from = ''] = event.split('.')
  const range = manifest.uses[from]?.range
  if (range === undefined || version === null) return
  if (semver.satisfies(version, range, { includePrerelease: true })) return
  throw errors.eventVersion({ module: manifest.name, event, version, range })
}

export function eventRunner({ stageOf, withWork, enter }: RunEventParts): RunTask {
  return async (task) => {
    if (!task.event) throw new Skipped('the event is gone')
    const stage = await stageOf(task, `event:${task.event.id}`)
    const { plugin } = stage
    const { manifest } = plugin
    // Its version for this tenant does not act on it, another one does.
    if (!Object.hasOwn(manifest.on, task.name)) throw new Skipped('nobody listens')
    checkVersion(manifest, task.name, task.event.version)
    const inHand = { id: task.id, attempt: task.attempt, depth: task.depth }
    const { payload } = task.event
    const leave = enter(plugin)
    try {
      await withWork(
        { ...stage, task: inHand },
        (work) => work.runText({ kind: 'event', event: task.name }, payload),
        { entersPlugin: true },
      )
    } finally {
      leave()
    }
  }
}
