// Which processes a process has started, as Linux says.
import { readdir, readFile } from 'node:fs/promises'

/** Ids of all that live below it, at any depth. */
export async function processesBelow(pid: number): Promise<number[]> {
  const parents = new Map<number, number>()
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    // The name before the fields may hold spaces and brackets.
    const stat = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '')
    parents.set(Number(entry), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? 0))
  }
  const isBelow = (one: number): boolean => {
    const parent = parents.get(one) ?? 0
    return parent === pid || (parent > 1 && isBelow(parent))
  }
  return [...parents.keys()].filter(isBelow)
}

/** Nothing where it has ended already. */
export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
