// Takes a secret out of what came back, for hosts that echo what they were sent: as it is, and in the forms that a
// header, a URL, a JSON text or a dump give it. It stops an echo, not a host that works with the plugin's author: whoever
// was sent the secret can give it back in a form that nobody knows.
import type { Answer } from './exchange.ts'
import { type FindTexts, textFinder } from './find-texts.ts'

/** Shorter than any form of a secret, so that nothing grows. */
const mark = '***'

/** The base64 of a text at each of the three places it can have in a longer one: the characters that depend on it alone. */
function base64Forms(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64')
    const start = before === 0 ? 0 : before + 1
    const core = text.slice(start, Math.floor(((before + bytes.length) * 8) / 6))
    const forUrl = core.replaceAll('+', '-').replaceAll('/', '_')
    return [core, forUrl, core.replaceAll('/', '\\/'), encodeURIComponent(core)]
  })
}

function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret)
  const hex = bytes.toString('hex')
  const escaped = JSON.stringify(secret).slice(1, -1)
  const encoded = [encodeURIComponent(secret), new URLSearchParams({ '': secret }).toString().slice(1)]
  return [
    secret,
    escaped,
    escaped.replaceAll('/', '\\/'),
    ...encoded.flatMap((text) => [text, text.replace(/%../g, (byte) => byte.toLowerCase())]),
    hex,
    hex.toUpperCase(),
    ...base64Forms(bytes),
  ]
}

async function hide(bytes: Buffer, find: FindTexts): Promise<Buffer> {
  const found = await find(bytes)
  if (found.length === 0) return bytes
  const shown = Buffer.alloc(bytes.length)
  let from = 0
  let to = 0
  for (const { start, end } of found) {
    to += bytes.copy(shown, to, from, start)
    to += shown.write(mark, to)
    from = end
  }
  to += bytes.copy(shown, to, from)
  return shown.subarray(0, to)
}

/** The same answer, with `***` wherever one of the secrets stood. They have 8 characters and more. */
export async function hideSecrets(answer: Answer, secrets: readonly string[]): Promise<Answer> {
  if (secrets.length === 0) return answer
  const forms = [...new Set(secrets.flatMap(formsOf))]
  const find = textFinder(forms.map((form) => Buffer.from(form)))
  const hideText = async (text: string) => (await hide(Buffer.from(text, 'latin1'), find)).toString('latin1')
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(answer.headers))
    headers[await hideText(name)] = await hideText(value)
  return { status: answer.status, headers, body: await hide(answer.body, find) }
}
