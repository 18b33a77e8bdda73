// URL and URLSearchParams of core-js: 50 KB of script, evaluated when a plugin first names one of them.
// @ts-expect-error core-js-pure carries no types; the ones of the platform describe it.
import CoreUrl from 'core-js-pure/stable/url/index.js'
// @ts-expect-error as above
import CoreSearchParams from 'core-js-pure/stable/url-search-params/index.js'

export interface Urls {
  readonly URL: typeof globalThis.URL
  readonly URLSearchParams: typeof globalThis.URLSearchParams
}

export const URL: Urls['URL'] = CoreUrl
export const URLSearchParams: Urls['URLSearchParams'] = CoreSearchParams

// core-js leaves its registry of symbols there for copies of itself, of which there are none.
Reflect.deleteProperty(globalThis, '__core-js_shared__')
