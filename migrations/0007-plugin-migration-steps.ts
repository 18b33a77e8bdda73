// How far a plugin migration has come that cannot run in one transaction: its finished steps, and the tenants each
// backfill is done with. Both are emptied when the migration is complete. And whether an older version of the plugin
// can work on what a migration left.

export const up = `
alter table kernel.plugin_migration add column compatible boolean not null default false;

create table kernel.plugin_migration_step (
  plugin text not null,
  migration text not null,
  checksum text not null,
  done integer not null,
  primary key (plugin, migration)
);

create table kernel.plugin_backfill (
  plugin text not null,
  migration text not null,
  step integer not null,
  tenant_id uuid not null,
  done_at timestamptz(3) not null default now(),
  primary key (plugin, migration, step, tenant_id)
);
`

export const down = `
drop table kernel.plugin_backfill;
drop table kernel.plugin_migration_step;
alter table kernel.plugin_migration drop column compatible;
`
