// A number in a gapless series: written by the kernel alone (see number-series.ts).
import { type FieldKind, oneColumn, refuse } from './field-kind.ts'

export const sequence: FieldKind = {
  ...oneColumn,
  parse: (_value, _spec, place) => refuse(place, 'NOT_SETTABLE', 'is numbered by the system.'),
  jsonSchema: ({ pattern = '' }) => ({ type: 'string', readOnly: true, examples: [exampleOf(pattern)] }),
}

const exampleOf = (pattern: string): string =>
  pattern.replace('{year}', '2026').replace(/\{(0+)\}/, (_, zeros: string) => '1'.padStart(zeros.length, '0'))
