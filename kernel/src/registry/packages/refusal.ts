// Why a package is refused, by a word that programs may compare. Every check of this folder throws what `refusalsOf` makes.
import { errors, type PlinthError } from '../../errors.ts'

export type RefusalReason =
  /** Its name, or the name of its module, is not one it may have. */
  | 'name'
  /** The operator does not allow it. */
  | 'not-allowed'
  | 'version'
  | 'deprecated'
  | 'too-young'
  | 'integrity'
  | 'signature'
  | 'provenance'
  /** Its archive has what an archive of a package may not have. */
  | 'archive'
  | 'too-large'
  /** A file is missing, or is not what its name says. */
  | 'contents'
  | 'sdk'
  | 'manifest'
  | 'migrations'
  /** The registry sends the kernel to a place where it does not go. */
  | 'address'

/** `detail` is a sentence that names the thing, the value and where possible the next step. */
export type Refuse = (reason: RefusalReason, detail: string, cause?: unknown) => PlinthError

export const refusalsOf =
  (name: string, version: string): Refuse =>
  (reason, detail, cause) =>
    errors.packageRefused(
      { package: name.slice(0, 214), version: version.slice(0, 100), reason, detail },
      cause,
    )

/** A value of a package in one of our sentences: short, and without what a terminal or a reader could take for more. */
export const shown = (value: unknown, most = 120): string => {
  // Not String(): an object of a stranger may make that throw.
  const plain = (typeof value === 'string' ? value : `something that is ${typeof value}`).replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    '\u{fffd}',
  )
  return plain.length > most ? `${plain.slice(0, most - 1)}…` : plain
}
