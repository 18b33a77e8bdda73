// What an entry of an archive may be called. Nothing is written to a disk; but two names that a scanner or a file system
// takes for one, or one that leads out of the package, were put there by somebody with a plan.

/** `dist/plugin.js` for `package/dist/plugin.js`; half a sentence on what is wrong with any other. */
export function pathInPackage(path: string): { readonly path: string } | { readonly problem: string } {
  const problem = (text: string) => ({ problem: text })
  if (path.length > 400) return problem('is longer than 400 characters')
  if (/[\p{C}\p{Zl}\p{Zp}]/u.test(path)) return problem('has a character that cannot be seen')
  if (path.includes('\\')) return problem('has a backslash')
  if (path.startsWith('/') || /^[a-z]:/i.test(path)) return problem('is absolute')
  const [first, ...segments] = path.replace(/\/$/, '').split('/')
  if ([first, ...segments].some((segment) => segment === '' || segment === '.' || segment === '..'))
    return problem('leads elsewhere')
  if (first !== 'package') return problem("is not in the folder 'package'")
  return { path: segments.join('/') }
}

/** Equal for two paths that a file system without case, or with its own Unicode form, would take for one. */
export const foldPath = (path: string): string =>
  path.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC')

/** Whether package.json may name this file: a plain path inside the package. */
export const isPlainPath = (path: string): boolean => {
  const found = pathInPackage(`package/${path}`)
  return 'path' in found && found.path === path && path !== ''
}
