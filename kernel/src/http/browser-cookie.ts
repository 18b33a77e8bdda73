// What ties a sign-in at an identity provider to the browser that began it.
import { isRandom } from '../identity/sso/sign-in-flows.ts'

const cookieSeconds = 600

interface BrowserCookie {
  read(header: string | undefined): string | undefined
  write(value: string): string
}

/**
 * With https its name begins with __Host-: a browser then takes it from this host alone, and neither a page of a sister domain
 * nor a network without TLS can put another in its place. That wants the path to be the whole host.
 */
export function browserCookie(publicUrl: string): BrowserCookie {
  const { protocol, pathname } = new URL(publicUrl)
  const isSecure = protocol === 'https:'
  const name = isSecure ? '__Host-plinth_sso' : 'plinth_sso'
  const path = isSecure ? '/' : `${pathname.replace(/\/$/, '')}/v1/auth/sso`
  const rest = `Path=${path}; Max-Age=${cookieSeconds}; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`
  return {
    read(header) {
      const found = (header ?? '')
        .split(';')
        .map((part) => part.trim())
        .find((part) => part.startsWith(`${name}=`))
      const value = found?.slice(name.length + 1)
      return value !== undefined && isRandom(value) ? value : undefined
    },
    write: (value) => `${name}=${value}; ${rest}`,
  }
}
