// One invocation as the guest sees it: its calls in flight, its counts, and its end. After the end everything it left
// behind (ctx kept in a global, a callback that comes late) finds only rejections.
import type { CallName, LogLevel } from '../protocol/calls.ts'
import type { HandlerFailure } from '../protocol/envelope.ts'
import type { GuestLimits } from '../protocol/limits.ts'
import { callError } from './failures.ts'
import {
  assign,
  create,
  exceeds,
  isDeeper,
  NativeError,
  NativePromise,
  parse,
  slice,
  stringify,
  utf8Length,
} from './primordials.ts'

/** kind, invocation, number of the call or timer, name or failure or milliseconds, body. */
export type Send = (
  kind: 'call' | 'done' | 'failed' | 'timer' | 'untimer',
  id: number,
  call: number,
  head: string,
  body: string,
) => void

interface Pending {
  readonly name: CallName
  resolve(value: unknown): void
  reject(error: unknown): void
}

const longestLogMessage = 4_000
const longestLogData = 4_000
const never = (): Promise<never> => new NativePromise(() => undefined)

export class Invocation {
  readonly id: number
  readonly #send: Send
  readonly #limits: GuestLimits
  readonly #onEnd: (invocation: Invocation) => void
  readonly #pending: Record<number, Pending> = Object.create(null)
  #inFlight = 0
  #calls = 0
  #logged = 0
  #loggedCharacters = 0
  #over = false
  #timers = 0
  #timersSet = 0

  constructor(id: number, send: Send, limits: GuestLimits, onEnd: (invocation: Invocation) => void) {
    this.id = id
    this.#onEnd = onEnd
    this.#send = send
    this.#limits = limits
  }

  get isOver(): boolean {
    return this.#over
  }

  get inFlight(): number {
    return this.#inFlight
  }

  call(name: CallName, input: unknown): Promise<unknown> {
    if (this.#over)
      return NativePromise.reject(new NativeError('This ctx belongs to an invocation that has ended.'))
    const { argumentBytes, calls, callsInFlight, depth } = this.#limits
    let text: string
    try {
      text = stringify(input)
    } catch (error) {
      return NativePromise.reject(error)
    }
    if (exceeds(text, argumentBytes)) return this.#hit('argument', utf8Length(text), argumentBytes)
    if (isDeeper(text, depth)) return this.#hit('depth', depth + 1, depth)
    this.#calls += 1
    if (this.#calls > calls) return this.#hit('calls', this.#calls, calls)
    if (this.#inFlight >= callsInFlight) return this.#hit('callsInFlight', this.#inFlight + 1, callsInFlight)
    this.#inFlight += 1
    const call = this.#calls
    const answer = new NativePromise<unknown>((resolve, reject) => {
      this.#pending[call] = { name, resolve, reject }
    })
    this.#send('call', this.id, call, name, text)
    return answer
  }

  settle(call: number, ok: boolean, text: string): void {
    const pending = this.#pending[call]
    if (!pending || this.#over) return
    delete this.#pending[call]
    this.#inFlight -= 1
    if (ok) pending.resolve(parse(text))
    else pending.reject(callError(this.id, call, text))
  }

  /** Written without waiting; what is over the limits is dropped, and the last line says so. */
  log(level: LogLevel, message: string, data?: unknown): void {
    const { logLines, logCharacters } = this.#limits
    if (this.#over || this.#logged >= logLines) return
    this.#logged += 1
    const isLast = this.#logged === logLines || this.#loggedCharacters > logCharacters
    if (isLast) this.#logged = logLines
    const text = isLast
      ? stringify({ level: 'warn', message: 'Further lines of this invocation are dropped.' })
      : line(level, message, data)
    this.#loggedCharacters += text.length
    this.#send('call', this.id, 0, 'log.write', text)
  }

  /** Calls the handler never awaited would run on while its transaction ends: that is the plugin's mistake, and told. */
  done(text: string): void {
    if (this.#over) return
    const { depth, resultBytes } = this.#limits
    if (exceeds(text, resultBytes)) {
      void this.#hit('result', utf8Length(text), resultBytes)
      return
    }
    if (isDeeper(text, depth)) {
      void this.#hit('depth', depth + 1, depth)
      return
    }
    this.end()
    this.#send('done', this.id, 0, '', text)
  }

  fail(failure: HandlerFailure, body: string): void {
    if (this.#over) return
    this.end()
    // Without a prototype: a toJSON that the plugin put on Object's would be asked what the failure is.
    this.#send('failed', this.id, 0, stringify(assign(create(null), failure)), body)
  }

  end(): void {
    if (this.#over) return
    this.#over = true
    this.#onEnd(this)
  }

  /** Asks the host to come back; false when there is nobody to come back to. */
  armTimer(id: number, ms: number): boolean {
    if (this.#over) return false
    const { timers, timersSet } = this.#limits
    this.#timers += 1
    this.#timersSet += 1
    if (this.#timers > timers) void this.#hit('timers', this.#timers, timers)
    else if (this.#timersSet > timersSet) void this.#hit('timers', this.#timersSet, timersSet)
    if (this.#over) return false
    this.#send('timer', this.id, id, `${ms}`, '')
    return true
  }

  clearTimer(id: number): void {
    this.#timers -= 1
    if (!this.#over) this.#send('untimer', this.id, id, '', '')
  }

  timerCame(): void {
    this.#timers -= 1
  }

  /** Ends the invocation and gives a promise that never settles: a limit cannot be caught. */
  #hit(
    limit: Extract<HandlerFailure, { kind: 'limit' }>['limit'],
    used: number,
    cap: number,
  ): Promise<never> {
    this.fail({ kind: 'limit', limit, used, cap }, '{}')
    return never()
  }
}

function line(level: LogLevel, message: string, data: unknown): string {
  const shortened = slice(String(message), 0, longestLogMessage)
  if (data === undefined) return stringify({ level, message: shortened })
  const text = stringify(data) ?? 'null'
  return stringify({
    level,
    message: shortened,
    data: text.length > longestLogData ? '(too long)' : parse(text),
  })
}
