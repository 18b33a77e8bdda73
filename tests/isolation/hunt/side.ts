// What the hunt knows of one of the two tenants: who its people are, by what its bytes can be told, and what it has
// learnt from its answers.
import type { Random } from './random.ts'

/** `guest`: has an account and no tenant. `narrow`: a program whose key reads trails and nothing else. */
export type Standing = 'owner' | 'admin' | 'member' | 'guest' | 'narrow'

export interface Person {
  readonly standing: Standing
  readonly name: string
  readonly email: string
  readonly password: string
  /** Signs in with a password; the others with a key of theirs. */
  readonly isPerson: boolean
  id: string
  token: string
}

const keptOfKind = 150

export class Side {
  readonly slug: string
  /** Stands in every text that this tenant's people write, and in their names. The other tenant never sends it. */
  readonly mark: string
  /** The first nine digits of each of its amounts. */
  readonly amountMark: string
  readonly people: Person[] = []
  id = ''
  readonly #learnt = new Map<string, string[]>()
  /** Ids by which the other tenant may name things of this one. */
  readonly handles = new Set<string>()
  /** What of the other tenant's its people have written into their own records: they may read it there. */
  readonly told = new Set<string>()

  constructor(slug: string, mark: string, amountMark: string) {
    this.slug = slug
    this.mark = mark
    this.amountMark = amountMark
  }

  /** `kind`: a path of a collection, or a word such as `cursor /v1/x`. */
  learn(kind: string, value: string): void {
    const known = this.#learnt.get(kind) ?? []
    if (known.includes(value)) return
    known.push(value)
    // The second of each kind stays: what is long there is likelier to be referred to.
    if (known.length > keptOfKind) known.splice(1, 1)
    this.#learnt.set(kind, known)
  }

  forget(kind: string, value: string): void {
    const known = this.#learnt.get(kind)
    if (known?.includes(value)) known.splice(known.indexOf(value), 1)
  }

  known(kind: string): readonly string[] {
    return this.#learnt.get(kind) ?? []
  }

  kinds(): readonly string[] {
    return [...this.#learnt.keys()]
  }

  person(random: Random): Person {
    const person = random.pick(this.people)
    if (!person) throw new Error(`${this.slug} has nobody`)
    return person
  }

  standing(standing: Standing): Person {
    const person = this.people.find((one) => one.standing === standing)
    if (!person) throw new Error(`${this.slug} has no ${standing}`)
    return person
  }
}
