// Every message between kernel and host, one union per direction. What a message carries for the plugin (bundle,
// input, result) is the frame's body and not in these types; each says what its body is.
import type { Defence } from '../defences.ts'
import type { CallName } from './calls.ts'
import type { GuestLimits, LimitName } from './limits.ts'

/** Which of the plugin's handlers to run. */
export type Handler =
  | { readonly kind: 'action'; readonly entity: string; readonly action: string }
  | { readonly kind: 'route'; readonly route: string }
  | { readonly kind: 'service'; readonly service: string }
  | { readonly kind: 'hook'; readonly entity: string; readonly hook: 'validate' }
  /** Of another module, by its full name: `oms.order.shipped`. */
  | { readonly kind: 'event'; readonly event: string }
  | { readonly kind: 'job'; readonly job: string }

/** What `ctx` is built from, besides the calls. */
export interface InvocationContext {
  readonly tenant: {
    readonly id: string
    readonly currency: string
    readonly locale: string
    readonly timeZone: string
  }
  readonly user: { readonly id: string; readonly permissions: readonly string[] | '*' }
  readonly today: string
  readonly settings: Readonly<Record<string, unknown>>
  /** Modules among the plugin's `uses` that this tenant has enabled. */
  readonly uses: readonly string[]
  /** Of a job's own handler. */
  readonly job?: { readonly id: string; readonly attempt: number }
}

/** The kernel to a host. The host trusts these. */
export type ToHost =
  /** Body: the plugin's bundle. `guest` is the script that runs before it. First message, once. */
  | {
      readonly type: 'load'
      readonly guest: string
      readonly limits: GuestLimits
      /** Walls that a test has taken down. */
      readonly off: readonly Defence[]
    }
  | { readonly type: 'describe' }
  /** Body: `{input, handler, context}` for the guest. `cpuMs` is for the whole invocation. */
  | { readonly type: 'invoke'; readonly invocation: number; readonly tenant: string; readonly cpuMs: number }
  /** Body: the answer to a call. */
  | { readonly type: 'result'; readonly invocation: number; readonly call: number }
  /** Body: `{code, message, data}`; the call rejects with it. */
  | { readonly type: 'failure'; readonly invocation: number; readonly call: number }
  /** The invocation is over, whatever its handler still does. */
  | { readonly type: 'cancel'; readonly invocation: number }
  | { readonly type: 'ping' }

/** Why a handler gave no value. */
export type HandlerFailure =
  /** It threw something that is no declared refusal. */
  | { readonly kind: 'threw'; readonly message: string; readonly stack: string }
  /** It called `fail(code, data)`. Body: data. */
  | { readonly kind: 'refused'; readonly code: string }
  /** It let the failure of one of its calls pass; the kernel remembers which error that was. */
  | { readonly kind: 'call'; readonly call: number }
  | { readonly kind: 'limit'; readonly limit: LimitName; readonly used: number; readonly cap: number }
  /** Its isolate ended because of another invocation of the same tenant. */
  | { readonly kind: 'lost' }

/** A host to the kernel. Every field is the plugin's until `parse-to-kernel.ts` has looked at it. */
export type ToKernel =
  | { readonly type: 'ready'; readonly protocol: number }
  | { readonly type: 'loaded' }
  /** Body: the manifest as the code gives it. */
  | { readonly type: 'described' }
  /** The bundle cannot be loaded or described. */
  | { readonly type: 'refused'; readonly reason: string }
  /** Body: the input of the call. */
  | { readonly type: 'call'; readonly invocation: number; readonly call: number; readonly name: CallName }
  /** Body: the value, JSON. */
  | { readonly type: 'done'; readonly invocation: number; readonly cpuMs: number }
  | {
      readonly type: 'failed'
      readonly invocation: number
      readonly cpuMs: number
      readonly failure: HandlerFailure
    }
  /** How many isolates it keeps. */
  | { readonly type: 'pong'; readonly isolates: number }
  /** The last message: the invocation cannot be stopped, so the host ends itself. Nothing more is to be sent to it. */
  | { readonly type: 'dying'; readonly invocation: number }
