// Which events somebody wants to hear of: `oms.order.shipped`, `oms.order.*`, `oms.*`, `*`. Said twice, for memory and for
// SQL; the test holds the two equal.

/** Linear: the parts are separated by a character that none of them has. */
export const eventFilterPattern =
  '^(?:\\*|[a-z][a-z0-9]{0,63}(?:\\.[A-Za-z][A-Za-z0-9]{0,63}){0,3}\\.(?:\\*|[A-Za-z][A-Za-z0-9]{0,63}))$'

/** `name` with its module. */
export const wantsEvent = (filters: readonly string[], name: string): boolean =>
  filters.some(
    (filter) =>
      filter === '*' || filter === name || (filter.endsWith('.*') && name.startsWith(filter.slice(0, -1))),
  )

/** The same as SQL, of expressions: an array of filters, and a name. */
export const wantsEventSql = (filters: string, name: string): string =>
  `EXISTS (SELECT FROM unnest(${filters}) AS f (filter)
            WHERE filter IN ('*', ${name}) OR (right(filter, 2) = '.*' AND starts_with(${name}, left(filter, -1))))`
