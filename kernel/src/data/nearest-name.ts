// "Did you mean": the name that somebody most likely meant.

/** The one of `names` that is two edits away at most, and nearer than a third of its length. */
export function nearestName(wrong: string, names: readonly string[]): string | undefined {
  // Distance costs the product of the lengths, and `wrong` comes from a client.
  if (wrong.length > 60) return undefined
  let nearest: string | undefined
  let best = 3
  for (const name of names) {
    const edits = editDistance(wrong.toLowerCase(), name.toLowerCase())
    if (edits < best && edits * 3 <= name.length) {
      best = edits
      nearest = name
    }
  }
  return nearest
}

function editDistance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const replaced = (above[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1)
      current.push(Math.min(replaced, (above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1))
    }
    above = current
  }
  return above[b.length] ?? 0
}
