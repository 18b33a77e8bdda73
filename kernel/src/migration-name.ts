// What `plinth migrate --name` may be: the file it makes must be one that the kernel reads.

const longest = 60

/** @throws Error that says what a name looks like, and the nearest one that is allowed */
export function migrationName(given: string | undefined): string | undefined {
  if (given === undefined || (/^[a-z0-9-]+$/.test(given) && given.length <= longest)) return given
  const near = given
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, longest)
    .replace(/^-|-$/g, '')
  const hint = near === '' ? '' : ` Try --name ${near}.`
  throw new Error(
    `No migration can be called '${given.slice(0, 2 * longest)}': small letters, digits and hyphens, ${longest} at most.${hint}`,
  )
}
