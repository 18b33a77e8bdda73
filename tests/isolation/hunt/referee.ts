// What no answer may be, whatever was asked: a failure of the kernel, a byte of the other tenant, or something that the
// person who asks may not do.
import type { Call } from './call.ts'
import type { Side } from './side.ts'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
}

export interface Rules {
  /** What the caller's standing allows in modules: by route, the permission, when it is not for everybody. */
  mayNot(call: Call, answer: Answer, hunter: Side): string | undefined
}

const ids = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[A-Za-z0-9]{32}\b/gi

/** The other tenant's ids and names in a text, but for those that the request itself named or that were told before. */
function handlesIn(text: string, { sent }: Call, prey: Side, { told }: Side): string | undefined {
  const isNews = (value: string) => !sent.has(value) && !told.has(value)
  if (text.includes(prey.slug) && ![...sent].some((one) => one.includes(prey.slug))) return prey.slug
  for (const [id] of text.matchAll(ids)) if (prey.handles.has(id) && isNews(id)) return id
  return undefined
}

/** What is wrong with the answer, in words. */
export function judge(
  call: Call,
  answer: Answer,
  { hunter, prey, rules }: { hunter: Side; prey: Side; rules: Rules },
): string | undefined {
  const { status } = answer
  if (status >= 500) return `was answered ${status}`
  const text = `${answer.text} ${JSON.stringify(answer.headers)}`
  if (text.includes(prey.mark)) return 'told a text of the other tenant'
  if (text.includes(prey.amountMark)) return 'told an amount of the other tenant'
  const handle = handlesIn(text, call, prey, hunter)
  if (handle !== undefined) return `told ${handle}, which is the other tenant's`
  if (status >= 200 && status < 300) return rules.mayNot(call, answer, hunter)
  return undefined
}

/** An answer without what differs from one request to the next. */
export const likeness = ({ status, text }: Answer): string => {
  const code = /"code":"([A-Z_]+)"/.exec(text)?.[1] ?? ''
  return `${status} ${code}`
}
