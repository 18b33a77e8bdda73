// Names that may be used and names that squat. Pure: who provides which module, and which packages are installed, is the
// lifecycle's to know.
import { KERNEL_AREAS } from '@plinth/sdk'

const part = '[a-z0-9~-][a-z0-9._~-]*'
const packageName = new RegExp(`^(?:@${part}/)?${part}$`)

/** npm's rule for new names, without `.` or `_` in front and without the characters that a URL would escape. */
export const isPackageName = (name: string): boolean => name.length <= 214 && packageName.test(name)

/** `allow`: names, or scopes as `@acme/*`, or `*` for all. No list allows everything. */
export function isAllowed(name: string, allow: readonly string[] | undefined): boolean {
  if (allow === undefined) return true
  return allow.some(
    (pattern) =>
      pattern === name ||
      pattern === '*' ||
      (/^@[^/*]+\/\*$/.test(pattern) && name.startsWith(pattern.slice(0, -1))),
  )
}

const lookalikes: readonly (readonly [RegExp, string])[] = [
  [/[^a-z0-9]/g, ''],
  [/0/g, 'o'],
  [/[1i|]/g, 'l'],
  [/3/g, 'e'],
  [/4/g, 'a'],
  [/5/g, 's'],
  [/7/g, 't'],
  [/8/g, 'b'],
  [/rn/g, 'm'],
  [/vv/g, 'w'],
]

/** What is left of a name for a reader in a hurry: `@p1inth/fin-ance` and `@plinth/finance` leave the same. */
export const skeletonOf = (name: string): string =>
  lookalikes.reduce((text, [pattern, letter]) => text.replace(pattern, letter), name.toLowerCase())

/** The installed package that `name` could be taken for. */
export const confusableWith = (name: string, installed: Iterable<string>): string | undefined =>
  [...installed].find((other) => other !== name && skeletonOf(other) === skeletonOf(name))

export interface NamesToCheck {
  readonly module: string
  readonly package: string
  /** Module id to the package that provided it first, also when that is not installed any more. */
  readonly owners: ReadonlyMap<string, string>
  /** Module ids that nobody may have. The kernel's own areas unless said. */
  readonly reserved?: readonly string[]
  /** A package that the operator allowed word for word may look like another. */
  readonly allow?: readonly string[] | undefined
}

/** A sentence on why the package may not provide the module, or undefined when it may. */
export function checkNames(names: NamesToCheck): string | undefined {
  const { module, owners, reserved = KERNEL_AREAS, allow = [] } = names
  if (reserved.includes(module)) return `The kernel uses the name '${module}' itself.`
  const owner = owners.get(module)
  if (owner !== undefined && owner !== names.package)
    return `The module '${module}' is that of the package '${owner}'.`
  const other = allow.includes(names.package) ? undefined : confusableWith(names.package, owners.values())
  if (other === undefined) return undefined
  return `Its name can be taken for that of '${other}'. If both are meant, allow '${names.package}' by its whole name.`
}
