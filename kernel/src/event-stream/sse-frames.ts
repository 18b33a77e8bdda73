// Lines of text/event-stream, as the HTML standard has them. JSON has no line breaks of its own, so a message is one line.
import type { StoredEvent } from './stored-event.ts'

/** How long a client waits before it connects again. */
const retryMs = 2_000

/** First of all: where the stream begins, so that who gets nothing knows where to go on. */
export const openingFrame = (position: number): string => `retry: ${retryMs}\nid: ${position}\n\n`

export function eventFrame({ position, module, event, payload, at }: StoredEvent): string {
  const message = { type: `${module}.${event}`, timestamp: at.toISOString(), data: payload }
  return `id: ${position}\ndata: ${JSON.stringify(message)}\n\n`
}

/** Says that the connection lives. An id without data moves the place to go on from, and is no message. */
export const aliveFrame = (position: number): string => `: alive\nid: ${position}\n\n`

/** The last one: why nothing follows. */
export const endFrame = (code: string, detail: string): string =>
  `event: end\ndata: ${JSON.stringify({ code, detail })}\n\n`
