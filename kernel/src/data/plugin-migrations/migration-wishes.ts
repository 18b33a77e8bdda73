// What only the plugin's author can know about a change: that a field is another one renamed, that nobody needs it any
// more, what value the records have that are there. Read from the flags of `plinth migrate`.

export interface Rename {
  /** `['account', 'code']` */
  readonly from: readonly string[]
  readonly to: readonly string[]
}

export interface MigrationWishes {
  readonly renames: readonly Rename[]
  /** `account`, `account.note`, `account.lines.note` */
  readonly drops: readonly string[]
  readonly backfills: readonly { readonly entity: string; readonly sql: string }[]
}

export const noWishes: MigrationWishes = { renames: [], drops: [], backfills: [] }

const key = /^[a-z][A-Za-z0-9]{0,40}$/

export function parseWishes(flags: {
  readonly rename?: readonly string[] | undefined
  readonly drop?: readonly string[] | undefined
  readonly backfill?: readonly string[] | undefined
}): MigrationWishes {
  return {
    renames: (flags.rename ?? []).map(parseRename),
    drops: (flags.drop ?? []).map((drop) => parsePath(drop, `--drop ${drop}`).join('.')),
    backfills: (flags.backfill ?? []).map(parseBackfill),
  }
}

function parseRename(flag: string): Rename {
  const [left = '', right = '', ...more] = flag.split('=')
  const [from, to] = [parsePath(left, `--rename ${flag}`), parsePath(right, `--rename ${flag}`)]
  const isSamePlace = from.length === to.length && (from.length < 3 || from[1] === to[1])
  if (more.length > 0 || !isSamePlace)
    throw new Error(`--rename ${flag} is not like account=ledgerAccount or account.code=account.number.`)
  return { from, to }
}

function parseBackfill(flag: string): { readonly entity: string; readonly sql: string } {
  const split = flag.indexOf('=')
  const entity = flag.slice(0, Math.max(split, 0))
  if (!key.test(entity))
    throw new Error(
      `--backfill ${flag} is not like account="update account set note = name where note is null".`,
    )
  return { entity, sql: flag.slice(split + 1) }
}

function parsePath(path: string, flag: string): string[] {
  const parts = path.split('.')
  if (parts.length <= 3 && parts.every((part) => key.test(part))) return parts
  throw new Error(`${flag}: '${path}' is not like account, account.code or account.lines.code.`)
}
