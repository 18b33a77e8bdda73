// Takes a secret out of what came back, for hosts that echo what they were sent: as it is, and in the forms that a
// header, a URL, a JSON text or a dump give it. It stops an echo, not a host that works with the plugin's author: whoever
// was sent the secret can give it back in a form that nobody knows.
import type { Answer } from './exchange.ts'

const mark = '***'

/** base64 of a text that stands at each of the three places in a longer one: the characters that depend on it alone. */
function base64Forms(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replace(/=+$/, '')
    const start = before === 0 ? 0 : before + 1
    const bits = (before + bytes.length) * 8
    const core = text.slice(start, Math.floor(bits / 6))
    return [core, core.replaceAll('+', '-').replaceAll('/', '_')]
  })
}

function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret)
  const hex = bytes.toString('hex')
  const escaped = JSON.stringify(secret).slice(1, -1)
  const encoded = [encodeURIComponent(secret), new URLSearchParams({ '': secret }).toString().slice(1)]
  const texts = [
    secret,
    escaped,
    escaped.replaceAll('/', '\\/'),
    ...encoded.flatMap((text) => [text, text.replace(/%../g, (byte) => byte.toLowerCase())]),
    hex,
    hex.toUpperCase(),
    ...base64Forms(bytes),
  ]
  // Bytes as characters: an answer is searched without knowing how it is encoded.
  const needles = texts.map((text) => Buffer.from(text).toString('latin1'))
  return [...new Set(needles)].filter((text) => text.length > 3).sort((a, b) => b.length - a.length)
}

/** The same answer, with `***` wherever one of the secrets stood. */
export function hideSecrets(answer: Answer, secrets: readonly string[]): Answer {
  if (secrets.length === 0) return answer
  const forms = secrets.flatMap(formsOf)
  const hide = (text: string) => forms.reduce((shown, form) => shown.replaceAll(form, mark), text)
  const bytes = answer.body.toString('latin1')
  const shown = hide(bytes)
  return {
    status: answer.status,
    headers: Object.fromEntries(
      Object.entries(answer.headers).map(([name, value]) => [hide(name), hide(value)]),
    ),
    body: shown === bytes ? answer.body : Buffer.from(shown, 'latin1'),
  }
}
