// What the data plane needs of a logger: two levels, structured data first. A pino logger is one.

export interface DataLog {
  info(data: object, message: string): void
  warn(data: object, message: string): void
}
