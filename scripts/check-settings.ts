// Holds docs/settings.md and the settings of kernel/src/config.ts equal. `--write` writes the page from the code.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { settings } from '../kernel/src/config.ts'
import { conclude } from './conclude.ts'

const page = 'docs/settings.md'

/** The page as the code would have it. */
export function settingsPage(): string {
  const rows = Object.values(settings).map(
    (setting) => `| \`${setting.name}\` | ${setting.default} | ${setting.meaning} |`,
  )
  return `# Settings

Read from the environment once, at start, before anything is opened. A wrong value, or a \`PLINTH_\` name that is not
in this table, is refused with its name; all of them are reported together.

| name | default | meaning |
| --- | --- | --- |
${rows.join('\n')}

With \`DATABASE_URL\` several kernel processes can serve one database: give them the same \`PLINTH_SECRET\`.
`
}

if (import.meta.main) {
  if (process.argv.includes('--write')) writeFileSync(page, settingsPage())
  const same = existsSync(page) && readFileSync(page, 'utf8') === settingsPage()
  conclude(
    same
      ? []
      : [`${page} differs from kernel/src/config.ts. Run \`node scripts/check-settings.ts --write\`.`],
    `settings: ${Object.keys(settings).length}, all documented`,
  )
}
