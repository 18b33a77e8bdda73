// A number in a gapless series. Plugins read it and never write it.
import type { FieldType } from './field.ts'

/** A field that the kernel alone writes. */
export interface SequenceField<O extends boolean = false> extends FieldType<string, O, true> {
  readonly writtenBy: 'kernel'
}

/**
 * A gapless number: `t.sequence('INV-{year}-{00000}')` gives `INV-2026-00001` at creation.
 *
 * With `at`, the number is taken when the record enters that state and is absent before, so that a deleted draft
 * leaves no gap; `date` names the date field that `{year}` comes from.
 */
export function sequence(pattern: string): SequenceField
export function sequence(
  pattern: string,
  options: { readonly at: string; readonly date?: string },
): SequenceField<true>
export function sequence(
  pattern: string,
  options?: { readonly at: string; readonly date?: string },
): SequenceField<boolean> {
  return {
    spec: {
      kind: 'sequence',
      pattern,
      ...(options ? { at: options.at } : {}),
      ...(options?.date === undefined ? {} : { dateField: options.date }),
    },
    writtenBy: 'kernel',
  }
}
