// atob and btoa. Four characters at a time; a text of a megabyte takes some 20 ms.
import { charCodeAt, fromCharCode, join, push, replace, slice } from '../primordials.ts'
import { DOMException } from './dom-exception.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const pieceLength = 3 * 4_096

const invalid = (what: string) => new DOMException(what, 'InvalidCharacterError')

function encodePiece(text: string): string {
  let encoded = ''
  for (let at = 0; at < text.length; at += 3) {
    const a = charCodeAt(text, at)
    const b = at + 1 < text.length ? charCodeAt(text, at + 1) : 0
    const c = at + 2 < text.length ? charCodeAt(text, at + 2) : 0
    if (a > 255 || b > 255 || c > 255) throw invalid('btoa takes characters up to U+00FF.')
    const bits = (a << 16) | (b << 8) | c
    encoded +=
      `${alphabet[bits >> 18]}${alphabet[(bits >> 12) & 63]}` +
      `${at + 1 < text.length ? alphabet[(bits >> 6) & 63] : '='}${at + 2 < text.length ? alphabet[bits & 63] : '='}`
  }
  return encoded
}

export function btoa(data: unknown): string {
  const text = String(data)
  const pieces: string[] = []
  for (let at = 0; at < text.length; at += pieceLength) {
    push(pieces, encodePiece(slice(text, at, at + pieceLength)))
  }
  return join(pieces, '')
}

function sextetOf(code: number): number {
  if (code >= 65 && code <= 90) return code - 65
  if (code >= 97 && code <= 122) return code - 71
  if (code >= 48 && code <= 57) return code + 4
  return code === 43 ? 62 : code === 47 ? 63 : -1
}

export function atob(data: unknown): string {
  let text = replace(String(data), /[\t\n\f\r ]+/g, '')
  if (text.length % 4 === 0) text = replace(text, /={1,2}$/, '')
  if (text.length % 4 === 1) throw invalid('The text is not correctly encoded base64.')
  const pieces: string[] = []
  let piece = ''
  let bits = 0
  let held = 0
  for (let at = 0; at < text.length; at += 1) {
    const value = sextetOf(charCodeAt(text, at))
    if (value < 0) throw invalid('The text has a character that is none of base64.')
    bits = ((bits << 6) | value) & 0xffffff
    held += 6
    if (held < 8) continue
    held -= 8
    piece += fromCharCode((bits >> held) & 255)
    if (piece.length < pieceLength) continue
    push(pieces, piece)
    piece = ''
  }
  push(pieces, piece)
  return join(pieces, '')
}
