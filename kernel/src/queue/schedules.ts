// Schedules of all tenants: kept to what is declared whenever that may have changed, and looked at each second for what is
// due. Every process does both; none makes a job of a due time that another has made one of.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { ChangeFeed } from '../data/change-feed.ts'
import { repeat } from '../tenants/repeat.ts'
import { fireDue } from './fire-schedules.ts'
import { keepAllSchedules, keepSchedulesOf, type ScheduleParts } from './keep-schedules.ts'
import type { Lane } from './task.ts'

const everyMs = 1_000
/** For what nobody was told of. */
const keepEveryMs = 10 * 60_000

export interface Schedules {
  /** Other versions are served. */
  changed(): void
  close(): Promise<void>
}

export function startSchedules(
  parts: ScheduleParts & {
    readonly feed: Pick<ChangeFeed, 'onChange'>
    readonly addTurns: (lanes: readonly Lane[]) => Promise<void>
  },
): Schedules {
  const { feed, addTurns, log } = parts
  // Whoever changes a tenant may be in the middle of a request, which is nothing of ours.
  const onItsOwn = AsyncLocalStorage.snapshot()
  const tenants = new Set<string>()
  let isEverybody = false
  let isClosed = false

  async function keep(): Promise<void> {
    while (!isClosed && (isEverybody || tenants.size > 0)) {
      if (isEverybody) {
        isEverybody = false
        await keepAllSchedules(parts, () => isClosed).catch((error: unknown) => {
          isEverybody = true
          throw error
        })
      }
      const [tenant] = tenants
      if (tenant === undefined) continue
      tenants.delete(tenant)
      await keepSchedulesOf(parts, tenant).catch((error: unknown) => {
        tenants.add(tenant)
        throw error
      })
    }
  }

  const keeping = repeat('schedules', keep, log, everyMs)
  const wake = () => onItsOwn(() => keeping.wake())
  const all = setInterval(() => {
    isEverybody = true
  }, keepEveryMs)
  all.unref()
  feed.onChange(({ kind, id }) => {
    if (kind !== 'tenant' && kind !== 'all') return
    if (kind === 'tenant' && id !== '') tenants.add(id)
    else isEverybody = true
    wake()
  })
  const firing = repeat(
    'due schedules',
    async () => {
      for (let isMore = true; isMore && !isClosed; ) {
        const fired = await fireDue(parts)
        isMore = fired.isMore
        await addTurns(fired.lanes)
      }
    },
    log,
    everyMs,
  )
  return {
    changed() {
      isEverybody = true
      wake()
    },
    async close() {
      isClosed = true
      clearInterval(all)
      await Promise.all([keeping.close(), firing.close()])
    },
  }
}
