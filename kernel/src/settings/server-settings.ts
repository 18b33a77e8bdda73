// The server itself.
import { integer, matching, oneOf, setting } from './setting.ts'

function token(text: string | undefined): string | undefined {
  // Like the secret it is never repeated in the message.
  if (text !== undefined && !/^[\x21-\x7e]{16,256}$/.test(text)) {
    throw new Error('must have 16 to 256 characters, without spaces')
  }
  return text
}

function secret(text: string | undefined): string | undefined {
  if (text !== undefined && text.length < 32) throw new Error('must have at least 32 characters')
  return text
}

function bearerToken(text: string | undefined): string | undefined {
  // What a header cannot carry could never be sent.
  if (text !== undefined && !/^[\x21-\x7e]{32,512}$/.test(text))
    throw new Error('must have 32 to 512 characters, without spaces')
  return text
}

export const serverSettings = {
  port: setting(
    'PORT',
    '3000',
    'TCP port of the HTTP API. 0 takes a free one and prints it.',
    integer(3000, 0, 65535),
  ),
  host: setting(
    'HOST',
    '127.0.0.1',
    'Address the HTTP API listens on. `0.0.0.0` for every interface.',
    (text) => matching(/^[A-Za-z0-9.:_-]+$/, 'a host name or an IP address')(text ?? '127.0.0.1'),
  ),
  secret: setting(
    'PLINTH_SECRET',
    'generated, kept in DATA_DIR',
    'At least 32 characters. Signs sessions and derives the database passwords; every kernel process on one database needs the same.',
    secret,
  ),
  operatorToken: setting(
    'PLINTH_OPERATOR_TOKEN',
    'generated, kept in DATA_DIR',
    'At least 32 characters. Who sends it as a bearer token is the operator (`/v1/operator/*`, `plinth install` and the like).',
    bearerToken,
  ),
  demo: setting(
    'PLINTH_DEMO',
    'on with the embedded database, else off',
    'Makes the tenant `demo` with an owner at the first start: on or off.',
    (text) => (text === undefined ? undefined : oneOf('off', ['on', 'off'])(text) === 'on'),
  ),
  debugErrors: setting(
    'PLINTH_DEBUG_ERRORS',
    'off',
    'Adds the stack of a failed plugin to the problem document, and what a request has used of its limits to the header `x-plinth-limits`: on or off. For development.',
    (text) => oneOf('off', ['on', 'off'])(text) === 'on',
  ),
  metricsToken: setting(
    'PLINTH_METRICS_TOKEN',
    'none: /metrics answers this machine only',
    'At least 16 characters. Who sends it as `Authorization: Bearer <token>` may read /metrics, from anywhere.',
    token,
  ),
  logLevel: setting(
    'LOG_LEVEL',
    'info',
    'trace, debug, info, warn, error, fatal or silent.',
    oneOf('info', ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
  ),
}
