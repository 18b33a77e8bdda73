// What a tenant may call its own domain: a name that somebody can register, in the form that DNS and Host headers use.
import { domainToASCII } from 'node:url'
import { parse } from 'tldts'
import { errors } from '../errors.ts'

const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

function wrong(message: string): Error {
  return errors.validation({ errors: [{ field: 'domain', code: 'INVALID', message }] })
}

/**
 * `Bücher.Example.` is `xn--bcher-kva.example`.
 * @throws VALIDATION_FAILED for addresses, public suffixes (`co.uk`, `github.io`) and names that no host can have.
 */
export function domainName(text: string): string {
  // It reads a host out of what has more around it: `acme.com/x`.
  if (/[/\\?#@:%\s]/.test(text.trim())) throw wrong('must be a name alone, without address, port or path')
  const ascii = domainToASCII(text.trim().replace(/\.$/, ''))
  // The parser of URLs takes `1.2.3` and `0x7f.1` for addresses: then it answers with one.
  const { isIp, domain, publicSuffix, isIcann, isPrivate } = parse(ascii, { allowPrivateDomains: true })
  if (ascii === '' || isIp) throw wrong('must be the name of a domain, such as erp.example.com')
  const labels = ascii.split('.')
  if (ascii.length > 230 || labels.length < 2 || !labels.every((one) => label.test(one)))
    throw wrong(
      'must be labels of letters, digits and hyphens with points between them, 230 characters at most',
    )
  if (domain === null || publicSuffix === ascii)
    throw wrong('is a public suffix: domains of many owners are under it')
  // `localhost.localdomain`, `x.internal`: no DNS that everybody asks can show whose it is.
  if (!isIcann && !isPrivate) throw wrong('must be under a public top-level domain')
  return ascii
}
