// The whole public surface of @plinth/sdk. What is not exported here does not exist for a plugin.

export type { ApprovalRequest, ApprovalRequested } from './capabilities/approvals.ts'
export type { Context, Granted, Needs } from './capabilities/context.ts'
export type {
  Comparison,
  EntityHooks,
  Filtered,
  Page,
  Repository,
  Sort,
  Where,
} from './capabilities/entities.ts'
export type { HttpRequest, HttpResponse } from './capabilities/http.ts'
export type { Enqueued, EnqueueOptions, JobCapability } from './capabilities/jobs.ts'
export type { Secret, SecretUse } from './capabilities/secrets.ts'
export type { SqlRow, SqlValue } from './capabilities/sql.ts'
export { checkManifest } from './check-manifest.ts'
export { currencyCodes, minorUnits } from './currencies.ts'
export type { FiscalPeriod } from './dates.ts'
export {
  addDays,
  addMonths,
  compareDates,
  daysBetween,
  endOfMonth,
  fiscalPeriod,
  isCivilDate,
  isoWeek,
  startOfMonth,
  weekday,
} from './dates.ts'
export {
  addDecimals,
  compareDecimals,
  isDecimal,
  multiplyDecimals,
  negateDecimal,
  roundDecimal,
  scaleOf,
  subtractDecimals,
} from './decimals.ts'
export type { Declaration, Plugin } from './declaration.ts'
export type {
  Action,
  Job,
  PluginErrorSpec,
  PluginSpec,
  Role,
  Route,
  Service,
  Subscriber,
} from './define-plugin.ts'
export { definePlugin } from './define-plugin.ts'
export type { Candidate, Changes, Entity, EntityOptions, NewRow, Row, StateOf } from './entity.ts'
export { entity } from './entity.ts'
export type { Created, PluginError } from './errors.ts'
export { created, fail, isCreated, isPluginError } from './errors.ts'
export type { AnyField, Field, Fields, FieldType, In, Out, RangedField } from './fields/field.ts'
export { t } from './fields/t.ts'
export type { CivilDate, Id, Money } from './fields/values.ts'
export type { HashEncoding, HashName } from './hashing.ts'
export { hash, hmac } from './hashing.ts'
export { KERNEL_AREAS } from './kernel-areas.ts'
export type {
  ActionSpec,
  ApprovalSpec,
  EntitySpec,
  ErrorSpec,
  FieldKind,
  FieldSpec,
  FieldSpecs,
  JobSpec,
  Json,
  Manifest,
  NeedsSpec,
  RateSpec,
  RoleSpec,
  RouteSpec,
  Rule,
  SecretSpec,
  ServiceSpec,
  SubscriptionSpec,
  UseSpec,
} from './manifest.ts'
export { manifestOf } from './manifest.ts'
export {
  addMoney,
  compareMoney,
  isPositiveMoney,
  isZeroMoney,
  money,
  negateMoney,
  roundMoney,
  subtractMoney,
  sumMoney,
  zeroMoney,
} from './money.ts'
export type { Contract, ForeignEvents, ForeignServices, Use } from './use.ts'
export { use } from './use.ts'
