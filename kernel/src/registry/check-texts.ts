// What people will read of a plugin before they trust it: a title that shows another order of its letters than it has, or
// that moves a terminal's cursor, is there to deceive. Joiners stay: Indian and Persian scripts need them.
import type { Manifest } from '@plinth/sdk'

// Controls, directional overrides and isolates, separators of lines.
const deceives = /[\p{Cc}\u{202a}-\u{202e}\u{2066}-\u{2069}\u{2028}\u{2029}]/u

/** A sentence for each text with characters that deceive its reader. */
export function checkTexts(manifest: Manifest): string[] {
  const { entities, actions, routes, roles, errors } = manifest
  const texts: [string, string][] = [
    ['its title', manifest.title],
    ...Object.entries(entities).map(([key, { title }]): [string, string] => [
      `the title of entity '${key}'`,
      title,
    ]),
    ...Object.entries(actions).flatMap(([key, ofEntity]) =>
      Object.entries(ofEntity).map(([name, { title }]): [string, string] => [
        `the title of action '${key}.${name}'`,
        title,
      ]),
    ),
    ...Object.entries(routes).map(([key, { title }]): [string, string] => [
      `the title of route '${key}'`,
      title,
    ]),
    ...Object.entries(roles).map(([key, { title }]): [string, string] => [
      `the title of role '${key}'`,
      title,
    ]),
    ...Object.entries(errors).map(([code, { message }]): [string, string] => [
      `the message of '${code}'`,
      message,
    ]),
  ]
  return texts
    .filter(([, text]) => deceives.test(text))
    .map(([what]) => `In ${what} is a character that cannot be seen and changes how the rest is read.`)
}
