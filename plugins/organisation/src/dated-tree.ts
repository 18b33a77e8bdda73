// A tree whose links hold from one day to another. Pure but for `load`, so that the same code judges in the plugin,
// where links are rows, and in property tests, where they are a list.

import type { CivilDate } from '@plinth/sdk'
import { intersection, type Period } from './periods.ts'

export interface Link extends Period {
  readonly id: string
  readonly child: string
  readonly parent: string
}

/** The links of these children. */
export type LoadLinks = (children: readonly string[]) => Promise<readonly Link[]>

/** Deeper than any business, and as many queries as one change may take. */
export const deepest = 40

export type Judgement =
  | { readonly fits: true }
  | { readonly fits: false; readonly reason: 'overlap'; readonly with: Link }
  | { readonly fits: false; readonly reason: 'circle'; readonly on: CivilDate }
  | { readonly fits: false; readonly reason: 'depth' }

/** Whether `link` may stand beside those that are there, of which one with its own id is not counted. */
export async function judgeLink(load: LoadLinks, link: Link): Promise<Judgement> {
  if (link.child === link.parent) return { fits: false, reason: 'circle', on: link.from }
  const others: LoadLinks = async (children) => (await load(children)).filter(({ id }) => id !== link.id)
  const overlapping = (await others([link.child])).find((other) => intersection(other, link))
  if (overlapping) return { fits: false, reason: 'overlap', with: overlapping }
  return climb(others, link)
}

/** Up from the new parent, each ancestor with the days on which it is one. Meeting the child closes a circle. */
async function climb(load: LoadLinks, link: Link): Promise<Judgement> {
  let above = new Map<string, readonly Period[]>([[link.parent, [link]]])
  for (let height = 0; above.size > 0; height += 1) {
    if (height >= deepest) return { fits: false, reason: 'depth' }
    const next = new Map<string, readonly Period[]>()
    for (const { child, parent, ...period } of await load([...above.keys()])) {
      const days = (above.get(child) ?? []).flatMap((one) => intersection(one, period) ?? [])
      const [first] = days
      if (first === undefined) continue
      if (parent === link.child) return { fits: false, reason: 'circle', on: first.from }
      next.set(parent, [...(next.get(parent) ?? []), ...days])
    }
    above = next
  }
  return { fits: true }
}

export interface Node {
  readonly id: string
  readonly parent: string | null
}

/** Each node after its parent, with its depth; below `root` when one is named. Siblings keep their order. */
export function inTreeOrder<N extends Node>(
  nodes: readonly N[],
  root?: string,
): readonly (N & { readonly depth: number })[] {
  const children = Map.groupBy(nodes, ({ parent }) => parent)
  const found: (N & { readonly depth: number })[] = []
  const waiting = nodes
    .filter(({ id, parent }) => (root === undefined ? parent === null : id === root))
    .map((node) => ({ ...node, depth: 0 }))
    .reverse()
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    found.push(node)
    const depth = node.depth + 1
    waiting.push(...(children.get(node.id) ?? []).map((child) => ({ ...child, depth })).reverse())
  }
  return found
}
