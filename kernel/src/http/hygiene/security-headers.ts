// What every answer tells a browser, by helmet's advice for something that serves data and no pages. Asked once: the advice
// is the same for every request, and so is the answer to those that never reach an instance.
import type { IncomingMessage, ServerResponse } from 'node:http'
import helmet from 'helmet'

function adviceOfHelmet(): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {}
  const response = {
    setHeader: (name: string, value: string) => {
      headers[name.toLowerCase()] = value
    },
    removeHeader: () => undefined,
  }
  const advise = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        frameAncestors: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
      },
    },
    xFrameOptions: { action: 'deny' },
    referrerPolicy: { policy: 'no-referrer' },
    strictTransportSecurity: { maxAge: 31_536_000, includeSubDomains: true },
  })
  // It looks at nothing of the request, and sets and removes headers of the response.
  advise({} as IncomingMessage, response as unknown as ServerResponse, () => undefined)
  return Object.freeze(headers)
}

export const securityHeaders = adviceOfHelmet()
