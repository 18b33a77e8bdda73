// Every reason for which this plugin refuses. Codes are wire names: they never change and are never reused.

export const refusals = {
  PERIOD_REVERSED: { status: 422, message: 'It would end on {to}, before it begins on {from}.' },
  PERIOD_OUTSIDE: {
    status: 422,
    message: "It would hold from {from} to {to}, and '{code}' is valid from {validFrom} to {validTo}.",
  },
  PERIOD_IN_USE: {
    status: 409,
    message: '{what} needs it from {from} to {to}. End that first, or choose other dates.',
  },
  LINK_OVERLAPS: {
    status: 409,
    message: 'It has another one from {from} to {to}. End that first, or choose other dates.',
  },
  LINK_CLOSES_CIRCLE: { status: 422, message: 'On {on} it would come to stand above itself.' },
  TREE_TOO_DEEP: { status: 422, message: 'The tree would become more than {most} levels deep.' },
  NODE_UNKNOWN: { status: 422, message: "There is no record with the id '{id}'." },
  POSITION_FULL: {
    status: 409,
    message: "'{code}' has {seats} seats, and all are taken on some of these days.",
  },
  PERSON_ASSIGNED: { status: 409, message: "This person holds '{code}' on some of these days already." },
} as const

export type RefusalCode = keyof typeof refusals
