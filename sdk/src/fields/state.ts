// Where a record stands, and where it may go from there.
import type { FieldType } from './field.ts'

/** A state field. A record begins in the first state; only an action with `to`, or an update by the plugin, moves it. */
export interface StateField<S extends string> extends FieldType<S, false, true> {
  readonly states: readonly S[]
}

/**
 * States and their transitions: `t.state({ draft: ['issued'], issued: ['paid', 'void'], paid: [], void: [] })`. The
 * first is the state of a new record; one without transitions is final. A move that is not listed is refused with
 * `TRANSITION_INVALID`, whoever asks for it.
 */
export function state<const S extends Readonly<Record<string, readonly (keyof S & string)[]>>>(
  transitions: S,
): StateField<keyof S & string> {
  const states = Object.keys(transitions)
  const copied = Object.fromEntries(Object.entries(transitions).map(([from, to]) => [from, [...to]]))
  return {
    spec: { kind: 'state', transitions: copied, ...(states[0] === undefined ? {} : { initial: states[0] }) },
    states,
  }
}
