// Where a fetch must not go and what it must not send, one a row.
import { publicAddress } from '../support/outside-world.ts'

/** Refused for the text of the URL, whatever is granted: what is granted is always a name. */
export const notations = [
  ['http', 'http://api.bank.example/ok'],
  ['another scheme', 'ftp://api.bank.example/ok'],
  ['a file', 'file:///etc/passwd'],
  ['a data URL', 'data:text/plain,hello'],
  ['no URL', 'ok'],
  ['a host alone', '//api.bank.example/ok'],
  ['an IPv4 address', 'https://127.0.0.1/ok'],
  ['a public IPv4 address', `https://${publicAddress}/ok`],
  ['a decimal address', 'https://2130706433/ok'],
  ['an octal address', 'https://0177.0.0.1/ok'],
  ['a hexadecimal address', 'https://0x7f000001/ok'],
  ['hexadecimal parts', 'https://0x7f.0x0.0x0.0x1/ok'],
  ['a short address', 'https://127.1/ok'],
  ['a zero address', 'https://0/ok'],
  ['an address with a trailing dot', 'https://127.0.0.1./ok'],
  ['full-width digits', 'https://１２７.０.０.１/ok'],
  ['enclosed digits', 'https://①②⑦.⓪.⓪.①/ok'],
  ['an ideographic full stop', 'https://127。0。0。1/ok'],
  ['the metadata service', 'https://169.254.169.254/latest/meta-data/'],
  ['IPv6 loopback', 'https://[::1]/ok'],
  ['an IPv4-mapped address', 'https://[::ffff:127.0.0.1]/ok'],
  ['the same in hexadecimal', 'https://[::ffff:7f00:1]/ok'],
  ['an IPv6 address with a zone', 'https://[fe80::1%25eth0]/ok'],
  ['the IPv6 metadata service', 'https://[fd00:ec2::254]/ok'],
  ['localhost', 'https://localhost/ok'],
  ['a number as last label', 'https://api.bank.1/ok'],
  ['user information', 'https://user:password@api.bank.example/ok'],
  ['a grant as user name', 'https://api.bank.example@www.attacker.example/ok'],
  ['a grant as user and password', 'https://api.bank.example:443@www.attacker.example/ok'],
  ['a backslash', 'https://www.attacker.example\\@api.bank.example/ok'],
  ['backslashes for slashes', 'https:\\\\api.bank.example\\ok'],
  ['a trailing dot', 'https://api.bank.example./ok'],
  ['capitals', 'https://API.bank.example/ok'],
  ['an encoded dot', 'https://api%2ebank.example/ok'],
  ['an encoded slash in the host', 'https://api.bank.example%2f.attacker.example/ok'],
  ['a look-alike letter', 'https://аpi.bank.example/ok'],
  ['a soft hyphen', 'https://api.\u00adbank.example/ok'],
  ['a sharp s', 'https://api.banß.example/ok'],
  ['a line break', 'https://api.bank.example/ok\r\nhost: www.attacker.example'],
  ['a tab in the host', 'https://api.ba\tnk.example/ok'],
  ['a space in front', ' https://api.bank.example/ok'],
  ['a NUL', 'https://api.bank.example\0.attacker.example/ok'],
  ['a port that is none', 'https://api.bank.example:99999/ok'],
  ['a port with a zero in front', 'https://api.bank.example:0443/ok'],
  ['an endless URL', `https://api.bank.example/${'a'.repeat(5_000)}`],
] as const

/** What a granted name may resolve to without ever being dialled. */
export const innerAddresses = [
  ...['127.0.0.1', '127.8.9.1', '0.0.0.0', '10.0.0.5', '100.64.0.1', '100.100.100.200', '169.254.169.254'],
  ...['172.16.0.1', '172.31.255.255', '192.0.0.192', '192.0.2.1', '192.88.99.1', '192.168.1.1', '198.18.0.1'],
  ...['198.51.100.7', '203.0.113.9', '224.0.0.1', '240.0.0.1', '255.255.255.255', '168.63.129.16'],
  ...[
    '::1',
    '::',
    '::7f00:1',
    '::ffff:7f00:1',
    '::ffff:5db8:d822',
    '64:ff9b::7f00:1',
    '64:ff9b:1::7f00:1',
    '100::1',
  ],
  ...[
    '2001::1',
    '2001:db8::1',
    '2002:7f00:1::',
    '3fff::1',
    '5f00::1',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'ff02::1',
  ],
]

/** Hosts beside the granted ones. */
export const ungrantedHosts = [
  ['another name', 'https://www.attacker.example/ok'],
  ['a name above', 'https://bank.example/ok'],
  ['a name below', 'https://x.api.bank.example/ok'],
  ['the grant as its beginning', 'https://api.bank.example.attacker.example/ok'],
  ['another port', 'https://api.bank.example:8080/ok'],
  ['punycode of a look-alike', 'https://xn--pi-7kc.bank.example/ok'],
] as const

/** Where an answer must not lead. */
export const redirectTargets = [
  ['to loopback', 'https://127.0.0.1/ok'],
  ['to the metadata service', 'https://169.254.169.254/latest'],
  ['to IPv6 loopback', 'https://[::1]/ok'],
  ['to a host without a grant', 'https://www.attacker.example/ok'],
  ['without a scheme', '//www.attacker.example/ok'],
  ['with backslashes', '\\\\www.attacker.example/ok'],
  ['with one backslash', '/\\www.attacker.example/ok'],
  ['to http', 'http://api.bank.example/ok'],
  ['to a file', 'file:///etc/passwd'],
  ['with user information', 'https://a:b@api.bank.example/ok'],
] as const

/** Names of headers that are the kernel's, or none. */
export const refusedHeaders = [
  ...['host', 'Host', 'content-length', 'transfer-encoding', 'connection', 'keep-alive', 'upgrade', 'te'],
  ...['trailer', 'expect', 'proxy-authorization', 'Proxy-Connection', 'cookie', 'accept-encoding', 'via'],
  ...['', 'a b', 'a:b', 'a\r\nb', 'ä', 'x'.repeat(100)],
]

export const refusedHeaderValues = [
  'a\r\nhost: b',
  'a\nb',
  'a\0b',
  'ä',
  '\u0100',
  ' a',
  'a ',
  '\x7f',
  'x'.repeat(20_000),
]
