// A near miss is almost always a slip of the finger, so an error about an unknown name says which one was meant.

/** The kernel asks this about manifests it has no reason to trust: this many comparisons for a name, and no more. */
const MOST_COMPARED = 40

/** `''`, or ` Did you mean 'issued'?` when a known name is at most two edits away. */
export function didYouMean(name: string, known: readonly string[]): string {
  const near = known
    .filter((candidate) => Math.abs(candidate.length - name.length) <= 2)
    .slice(0, MOST_COMPARED)
    .map((candidate) => ({ candidate, edits: editsBetween(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ edits }) => edits <= 2)
    .sort((a, b) => a.edits - b.edits)[0]
  if (near) return ` Did you mean '${near.candidate}'?`
  return known.length > 0 && known.length <= 12 ? ` There is: ${known.join(', ')}.` : ''
}

// Levenshtein's distance, one row at a time. Names have at most 64 characters.
function editsBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
