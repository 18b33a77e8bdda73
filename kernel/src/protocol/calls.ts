// What a guest may ask of the kernel: call name to input and output, all plain JSON. The broker is a mapped type over
// this, so a call without an answer does not compile.

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue }

export type RecordJson = { readonly [field: string]: JsonValue }

export interface FetchedJson {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Text, or base64 when that was asked for. */
  readonly body: string
}

export interface Calls {
  'entities.get': { input: { entity: string; id: string }; output: RecordJson | null }
  'entities.lock': { input: { entity: string; id: string }; output: RecordJson | null }
  'entities.list': {
    input: { entity: string; where?: RecordJson; sort?: string; limit?: number; cursor?: string }
    output: { items: readonly RecordJson[]; cursor?: string }
  }
  'entities.create': { input: { entity: string; values: RecordJson }; output: RecordJson }
  'entities.update': { input: { entity: string; id: string; changes: RecordJson }; output: RecordJson }
  'entities.delete': { input: { entity: string; id: string }; output: null }
  'sql.read': {
    input: { text: string; values: readonly JsonValue[] }
    output: { rows: readonly RecordJson[] }
  }
  /** One INSERT, UPDATE or DELETE, or a SELECT. */
  'sql.write': {
    input: { text: string; values: readonly JsonValue[] }
    output: { rows: readonly RecordJson[] }
  }
  'services.call': { input: { module: string; service: string; input: JsonValue }; output: JsonValue }
  /** Values may be `{ $secret, as, user? }`; the broker has the schema. */
  'http.fetch': { input: { url: string; request: RecordJson }; output: FetchedJson }
  /** Nothing a plugin can ask for decides on an approval. */
  'approvals.request': {
    input: { entity: string; record: string; action: string; [more: string]: JsonValue }
    output: { state: 'open' | 'notNeeded'; id?: string }
  }
  'events.emit': { input: { event: string; payload: JsonValue }; output: null }
  'jobs.enqueue': {
    input: { job: string; input: JsonValue; options?: RecordJson }
    output: { id: string }
  }
  /** Written at once, outside the transaction of the job that says it. */
  'jobs.progress': { input: { fraction: number; note?: string }; output: null }
  /** Never answered: the guest does not wait for its log. */
  'log.write': { input: { level: LogLevel; message: string; data?: JsonValue }; output: null }
}

export type CallName = keyof Calls
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

// A record and not a list: a call that is missing here does not compile.
const names: Readonly<Record<CallName, true>> = {
  'entities.get': true,
  'entities.lock': true,
  'entities.list': true,
  'entities.create': true,
  'entities.update': true,
  'entities.delete': true,
  'sql.read': true,
  'sql.write': true,
  'services.call': true,
  'http.fetch': true,
  'approvals.request': true,
  'events.emit': true,
  'jobs.enqueue': true,
  'jobs.progress': true,
  'log.write': true,
}

export const isCallName = (value: unknown): value is CallName =>
  typeof value === 'string' && Object.hasOwn(names, value)
