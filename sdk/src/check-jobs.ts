// Which jobs and subscriptions could never work: a schedule that is none, one that requires input nobody gives.

import { checkFields } from './check-fields.ts'
import { checkSchedule } from './check-schedule.ts'
import { didYouMean } from './did-you-mean.ts'
import type { JobSpec, Manifest } from './manifest.ts'

const MOST_ATTEMPTS = 25
const MOST_AT_ONCE = 10_000
const LONGEST_SECONDS = 86_400

export function checkSubscriptions({ on, uses }: Manifest): string[] {
  return Object.entries(on).flatMap(([event, { whileDisabled }]) => {
    const [module = '', ...rest] = event.split('.')
    return [
      ...(Object.hasOwn(uses, module)
        ? []
        : [
            `It acts on '${event}' of a plugin that is not among its 'uses'.${didYouMean(module, Object.keys(uses))}`,
          ]),
      ...(rest.length > 0 && rest.length <= 2 && rest.every((word) => word !== '')
        ? []
        : [
            `It acts on '${event}', which names no event: write the plugin and its event, 'oms.order.shipped'.`,
          ]),
      ...(whileDisabled === 'deliver' || whileDisabled === 'skip'
        ? []
        : [
            `On '${event}' it says whileDisabled '${whileDisabled}', which is none.${didYouMean(String(whileDisabled), ['deliver', 'skip'])}`,
          ]),
    ]
  })
}

export function checkJobs({ jobs, entities }: Manifest): string[] {
  return Object.entries(jobs).flatMap(([key, job]) => [
    ...checkFields(`job '${key}'`, job.input, 'values', Object.keys(entities)),
    ...checkScheduled(key, job),
    ...(isCount(job.attempts, MOST_ATTEMPTS)
      ? []
      : [
          `The job '${key}' has ${job.attempts} attempts: it is tried at least once and at most ${MOST_ATTEMPTS} times.`,
        ]),
    ...checkRate(key, job),
  ])
}

function checkScheduled(key: string, { schedule, input }: JobSpec): string[] {
  if (schedule === undefined) return []
  const wanted = Object.keys(input).filter(
    (name) => !input[name]?.optional && input[name]?.default === undefined,
  )
  return [
    ...checkSchedule(schedule).map((why) => `The job '${key}' has the schedule '${schedule}': ${why}`),
    ...(wanted.length === 0
      ? []
      : [
          `The job '${key}' has a schedule, and nobody gives it its input '${wanted.join("', '")}' then: make that optional or give it a default.`,
        ]),
  ]
}

function checkRate(key: string, { rate }: JobSpec): string[] {
  if (rate === undefined) return []
  return [
    ...(isCount(rate.max, MOST_AT_ONCE)
      ? []
      : [`The job '${key}' has the rate.max ${rate.max}: use a whole number from 1 to ${MOST_AT_ONCE}.`]),
    ...(isCount(rate.perSeconds, LONGEST_SECONDS)
      ? []
      : [
          `The job '${key}' has the rate.perSeconds ${rate.perSeconds}: use a whole number from 1 to ${LONGEST_SECONDS}.`,
        ]),
  ]
}

const isCount = (value: number, most: number): boolean =>
  Number.isInteger(value) && value >= 1 && value <= most
