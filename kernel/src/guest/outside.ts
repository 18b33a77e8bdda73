// ctx.http and ctx.secrets. A fetch is one call of the kernel; a secret is its name, which only the kernel can turn into
// a value.
import type { FetchedJson } from '../protocol/calls.ts'
import type { Invocation } from './invocation.ts'
import { create, freeze, NativeTypeError, parse } from './primordials.ts'

export async function fetchOutside(
  invocation: Invocation,
  url: string,
  request: { readonly answer?: string } = {},
): Promise<object> {
  const { status, headers, body } = (await invocation.call('http.fetch', { url, request })) as FetchedJson
  const isText = request.answer !== 'base64'
  const asText = () => {
    if (isText) return body
    throw new NativeTypeError('The answer was asked for in base64; read it with base64().')
  }
  return {
    status,
    ok: status >= 200 && status < 300,
    headers,
    text: async () => asText(),
    json: async (): Promise<unknown> => parse(asText()),
    base64: async () => {
      if (!isText) return body
      throw new NativeTypeError("Ask for the bytes with answer: 'base64'.")
    },
  }
}

/** Named once for all invocations: there is nothing of a tenant in it. */
export function secretsOf(names: readonly string[]): object {
  const secrets: Record<string, object> = create(null)
  for (const name of names) {
    secrets[name] = freeze({
      raw: () => ({ $secret: name, as: 'raw' }),
      bearer: () => ({ $secret: name, as: 'bearer' }),
      basic: (user?: string) => ({ $secret: name, as: 'basic', ...(user === undefined ? {} : { user }) }),
    })
  }
  return freeze(secrets)
}
