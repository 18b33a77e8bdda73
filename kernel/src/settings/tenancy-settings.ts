// Tenants: which host names say whose request it is, whose word on them is taken, and how long a closed one is kept.
import { isIP } from 'node:net'
import { integer, list, matching, setting } from './setting.ts'

const domainName =
  /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$/

function network(text: string): string {
  const [address = '', bits, rest] = text.split('/')
  const version = isIP(address)
  const most = version === 4 ? 32 : 128
  const isNetwork = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most)
  if (version === 0 || !isNetwork || rest !== undefined)
    throw new Error(
      `must be addresses or networks such as 10.0.0.0/8, with commas between them, not '${text}'`,
    )
  return text
}

function resolver(text: string): string {
  const port = /^(?:\[(?<six>[0-9a-f:]+)\]|(?<four>[0-9.]+))(?::(?<port>\d{1,5}))?$/i.exec(text)
  const { six, four } = port?.groups ?? {}
  if (isIP(six ?? four ?? text) === 0)
    throw new Error(`must be addresses such as 192.0.2.53 or [2001:db8::53]:5353, not '${text}'`)
  return text
}

export const tenancySettings = {
  baseDomains: setting(
    'PLINTH_BASE_DOMAINS',
    'none: no host name under one names a tenant',
    'Domains, with commas, under which every tenant has a subdomain: with `erp.example`, `acme.erp.example` names the tenant `acme`.',
    (text): readonly string[] =>
      (list(text) ?? []).map(matching(domainName, 'domain names in small letters, with commas between them')),
  ),
  trustedProxies: setting(
    'PLINTH_TRUSTED_PROXIES',
    'none: `X-Forwarded-*` is ignored',
    'Addresses and networks, with commas, of the proxies in front. Only what these send in `X-Forwarded-Host` and `X-Forwarded-For` is believed.',
    (text): readonly string[] => (list(text) ?? []).map(network),
  ),
  dnsServers: setting(
    'PLINTH_DNS_SERVERS',
    "the system's",
    "DNS servers, with commas, that are asked whether a tenant's own domain is verified, and for the addresses of webhooks. With a port: `192.0.2.53:5353`.",
    (text): readonly string[] | undefined => list(text)?.map(resolver),
  ),
  closingDays: setting(
    'PLINTH_CLOSING_DAYS',
    '30',
    'How many days a tenant that was closed can be opened again. Then everything of it is erased.',
    integer(30, 0, 3_650),
  ),
}
