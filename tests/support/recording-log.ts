// A pino log whose lines a test can read.
import pino, { type Logger } from 'pino'

export function recordingLog(): { readonly log: Logger; readonly lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = []
  const write = (text: string) => {
    const line: Record<string, unknown> = JSON.parse(text)
    lines.push(line)
  }
  return { log: pino({ level: 'debug' }, { write }), lines }
}
