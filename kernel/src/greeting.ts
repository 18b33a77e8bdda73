// What a person sees when the kernel is ready: where it is, how to sign in, and lines to copy.
import type { Demo } from './demo.ts'

const id = `grep -o '"id":"[^"]*"' | head -1 | cut -d'"' -f4`

export function greeting(url: string, demo: Demo | undefined): string {
  const ready = `\nPlinth is ready at ${url}\n`
  if (!demo) return `${ready}Sign up: POST ${url}/v1/auth/sign-up/email {name, email, password}\n\n`
  return `${ready}
Demo tenant '${demo.tenant}', owner ${demo.email}, password ${demo.password}

Copy these lines to enable finance and post a journal entry:

URL=${url}
TOKEN=$(curl -s $URL/v1/auth/sign-in/email -H 'content-type: application/json' -d '{"email":"${demo.email}","password":"${demo.password}"}' | grep -o '"token":"[^"]*"' | cut -d'"' -f4)
api() { curl -s -H "Authorization: Bearer $TOKEN" -H "X-Tenant-ID: ${demo.tenant}" -H 'content-type: application/json' "$@"; echo; }
api $URL/v1/tenant/modules -d '{"module":"finance"}'
api $URL/v1/finance/accounts -d '{"code":"1000","name":"Cash","type":"asset"}'
api $URL/v1/finance/accounts -d '{"code":"4000","name":"Sales","type":"income"}'
CASH=$(api "$URL/v1/finance/accounts?code=1000" | ${id})
SALES=$(api "$URL/v1/finance/accounts?code=4000" | ${id})
ENTRY=$(api $URL/v1/finance/journal-entries -d '{"date":"2026-01-31","description":"First sale","lines":[{"account":"'$CASH'","debit":{"amount":"100.00","currency":"INR"}},{"account":"'$SALES'","credit":{"amount":"100.00","currency":"INR"}}]}' | ${id})
api -X POST $URL/v1/finance/journal-entries/$ENTRY/post
api "$URL/v1/finance/reports/trial-balance?asOf=2026-12-31"

Ctrl-C stops it. The API is described at ${url}/openapi.json, the settings in docs/settings.md.

`
}
