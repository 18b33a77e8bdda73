import tap from 'tap'
import { checkSchedule } from './check-schedule.ts'

tap.test('a schedule of five fields is one', async (tap) => {
  for (const schedule of [
    '0 6 * * *',
    '*/15 * * * *',
    '30 2 1,15 * *',
    '0 9-17/2 * * mon-fri',
    '0 0 29 2 *',
    '0 0 31 2 mon',
    '5/10 0 1 JAN,jul 0',
    '59 23 31 12 7',
    '0 0 30 2/2 *',
    '0 0 * * 0-7',
  ])
    tap.same(checkSchedule(schedule), [], schedule)
})

tap.test('another is refused with a sentence that names the field', async (tap) => {
  const refused: [string, RegExp][] = [
    ['', /needs five fields/],
    ['@daily', /needs five fields/],
    ['0 6 * *', /needs five fields/],
    ['0 0 6 * * *', /needs five fields/],
    ['0  6 * * *', /one space/],
    ['60 6 * * *', /minute '60' is none: use \* or a number from 0 to 59/],
    ['0 24 * * *', /hour '24'/],
    ['0 6 0 * *', /day of the month '0'/],
    ['0 6 L * *', /day of the month 'L'/],
    ['0 6 * 13 *', /month '13'/],
    ['0 6 * jann *', /Did you mean 'jan'/],
    ['0 6 * * 8', /day of the week '8'/],
    ['0 6 * * 1#2', /day of the week '1#2'/],
    ['0 6 ? * *', /day of the month '\?'/],
    ['30-10 6 * * *', /minute '30-10' ends before it begins/],
    ['*/0 6 * * *', /the step '0'/],
    ['*/x 6 * * *', /the step 'x'/],
    ['1-2-3 6 * * *', /a sign too many/],
    ['0 6 30 2 *', /no such month has a day 30/],
    ['0 6 31 4,6,9 *', /no such month has a day 31/],
    ['0 6 30 2/12 *', /no such month has a day 30/],
    ['0 6 31 4-6/2 *', /no such month has a day 31/],
    ['0 9-17,12 * * *', /hour '9-17,12' names 12 twice/],
    ['*,5 6 * * *', /minute '\*,5' names 5 twice/],
    ['0 6 * * sun,7', /day of the week 'sun,7' names 0 twice/],
    ['0, 6 * * *', /minute '' is none/],
  ]
  for (const [schedule, sentence] of refused) tap.match(checkSchedule(schedule).join(' '), sentence, schedule)
})
