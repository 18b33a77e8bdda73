// Whether a step has what it needs. Each entry is one approver that the chain names; nobody counts as two of them.

/** A step of an approval: who is named is found, as keys (`person:`, `role:`, `position:`). */
export interface OpenStep {
  readonly title: string
  readonly need: 'all' | number
  /** By entry: the keys of who counts as it. */
  readonly approvers: readonly (readonly string[])[]
  readonly remindAfterHours?: number
}

/** For each person that agreed, the entries he can count as. */
export type Agreed = readonly (readonly number[])[]

export const isMet = ({ need, approvers }: OpenStep, agreed: Agreed): boolean =>
  need === 'all' ? filledEntries(agreed, approvers.length) === approvers.length : agreed.length >= need

/** The entries that somebody is still looked for, or all when any will do. */
export function openEntries({ need, approvers }: OpenStep, agreed: Agreed): readonly number[] {
  const all = approvers.map((_, entry) => entry)
  if (need !== 'all') return all
  const filled = filledEntries(agreed, approvers.length)
  // Somebody for it would fill one more.
  return all.filter((entry) => filledEntries([...agreed, [entry]], approvers.length) > filled)
}

/** The most entries that can be filled with one person each: augmenting paths in a bipartite graph. */
export function filledEntries(agreed: Agreed, entries: number): number {
  const filledBy = new Map<number, number>()
  const place = (person: number, seen: Set<number>): boolean => {
    for (const entry of agreed[person] ?? []) {
      if (entry >= entries || seen.has(entry)) continue
      seen.add(entry)
      const other = filledBy.get(entry)
      if (other !== undefined && !place(other, seen)) continue
      filledBy.set(entry, person)
      return true
    }
    return false
  }
  return agreed.filter((_, person) => place(person, new Set())).length
}

/** The entries that one of these keys counts as. */
export const entriesOf = ({ approvers }: OpenStep, keys: ReadonlySet<string>): readonly number[] =>
  approvers.flatMap((entry, index) => (entry.some((key) => keys.has(key)) ? [index] : []))

/** Keys of who may decide now. */
export const waitingKeys = (step: OpenStep, agreed: Agreed): readonly string[] => [
  ...new Set(openEntries(step, agreed).flatMap((entry) => step.approvers[entry] ?? [])),
]
