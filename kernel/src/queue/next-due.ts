// When a schedule is due next. In spring a time that the clocks skip is due when they have gone on, in autumn one that
// comes twice is due the first time: each day once.
import { CronExpressionParser } from 'cron-parser'

/** Five fields of cron, read in the time zone. @throws Error for what is no schedule, or no zone */
export const nextDue = (pattern: string, timeZone: string, after: Date): Date =>
  CronExpressionParser.parse(pattern, { currentDate: after, tz: timeZone }).next().toDate()
