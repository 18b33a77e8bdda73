// Chance that can be repeated: the same seed, the same choices.

export interface Random {
  /** From 0 to below `below`. */
  int(below: number): number
  /** True in `share` of the cases. */
  chance(share: number): boolean
  pick<T>(from: readonly T[]): T | undefined
}

/** mulberry32: short, and good enough to choose requests with. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const int = (below: number) => Math.floor(next() * below)
  return { int, chance: (share) => next() < share, pick: (from) => from[int(from.length)] }
}
