// An event says which trace it is part of, so that whoever acts on it continues that trace.

export const up = `
alter table kernel.outbox add column traceparent text;
`

export const down = `
alter table kernel.outbox drop column traceparent;
`
