// A client of GET /v1/events, as the HTML standard has it: fields, comments, and the id to go on after.
export interface StreamMessage {
  readonly id: string
  readonly type: string
  readonly data: Record<string, unknown>
}

export interface EventClient {
  readonly status: number
  readonly headers: Headers
  /** Of a refusal. */
  readonly problem: Record<string, unknown>
  /** Messages so far, those that are called `end` among them. */
  readonly messages: readonly {
    readonly event: string
    readonly id: string
    readonly data: StreamMessage['data']
  }[]
  /** Comments so far. */
  readonly comments: readonly string[]
  lastId(): string
  /** Resolves when the server has ended it, or it was cut. */
  readonly ended: Promise<void>
  cut(): void
}

export interface ListenOptions {
  readonly headers: Readonly<Record<string, string>>
  readonly lastId?: string
  /** `?types=...&after=...` */
  readonly query?: string
}

export async function listenAt(
  url: string,
  { headers, lastId: from, query = '' }: ListenOptions,
): Promise<EventClient> {
  const cutting = new AbortController()
  const response = await fetch(new URL(`/v1/events${query}`, url), {
    headers: {
      ...headers,
      accept: 'text/event-stream',
      ...(from === undefined ? {} : { 'last-event-id': from }),
    },
    signal: cutting.signal,
  })
  const messages: { event: string; id: string; data: StreamMessage['data'] }[] = []
  const comments: string[] = []
  let lastId = from ?? ''

  function take(block: string): void {
    let [event, data] = ['message', '']
    for (const line of block.split('\n')) {
      const [, name = '', value = ''] = /^([^:]*):? ?(.*)$/s.exec(line) ?? []
      if (line.startsWith(':')) comments.push(line)
      else if (name === 'id') lastId = value
      else if (name === 'event') event = value
      else if (name === 'data') data += value
    }
    if (data !== '') messages.push({ event, id: lastId, data: JSON.parse(data) })
  }

  async function read(): Promise<void> {
    let text = ''
    const decoder = new TextDecoder()
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk, { stream: true })
      for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
        take(text.slice(0, end))
        text = text.slice(end + 2)
      }
    }
  }

  const isStream = response.status === 200
  const problem: Record<string, unknown> = isStream
    ? {}
    : ((await response.json()) as Record<string, unknown>)
  return {
    status: response.status,
    headers: response.headers,
    problem,
    messages,
    comments,
    lastId: () => lastId,
    ended: isStream ? read().catch(() => undefined) : Promise.resolve(),
    cut: () => cutting.abort(),
  }
}
