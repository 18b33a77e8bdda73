// For tests: applies the migrations in the file that it is given, in a process that can be killed.
import { readFileSync } from 'node:fs'
import pg from 'pg'
import { applyPluginMigrations } from './apply-plugin-migrations.ts'

const [file = ''] = process.argv.slice(2)
const { access, manifest, migrations, pace } = JSON.parse(readFileSync(file, 'utf8'))
const owner = new pg.Client(access.owner)
await owner.connect()
process.stdout.write('begun\n')
await applyPluginMigrations(owner, access.rolePrefix, manifest, migrations, { data: access.data, pace })
await owner.end()
