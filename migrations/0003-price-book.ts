// The price book: what can be bought, in INR a month, and what each plan includes. `module` is the plugin that
// provides a commercial module; without one it shows as not available.

export const up = `
create table kernel.catalogue_module (
  code text primary key check (code ~ '^[a-z][a-z0-9_]*$'),
  title text not null,
  module text unique,
  monthly_price numeric(12, 2) not null check (monthly_price >= 0)
);

create table kernel.plan (
  code text primary key check (code ~ '^[a-z][a-z0-9_]*$'),
  title text not null,
  monthly_price numeric(12, 2) not null check (monthly_price >= 0)
);

create table kernel.plan_module (
  plan_code text not null references kernel.plan on delete cascade,
  module_code text not null references kernel.catalogue_module,
  primary key (plan_code, module_code)
);

insert into kernel.catalogue_module (code, title, module, monthly_price) values
  ('oms_fulfillment', 'Order management and fulfilment', 'oms', 12999),
  ('procurement', 'Procurement', null, 6999),
  ('finance', 'Finance', 'finance', 9999),
  ('crm_service', 'CRM and service', 'crm', 6999),
  ('sales_distribution', 'Sales and distribution', null, 7999),
  ('hrms', 'Human resources', 'hrms', 4999),
  ('d2c_storefront', 'Direct-to-consumer storefront', null, 3999),
  ('scm_ai', 'Supply chain with AI', null, 8999),
  ('marketing', 'Marketing', null, 3999),
  ('system_admin', 'System administration', null, 2999);

insert into kernel.plan (code, title, monthly_price) values
  ('starter', 'Starter', 19999),
  ('growth', 'Growth', 39999),
  ('professional', 'Professional', 59999),
  ('enterprise', 'Enterprise', 79999);

-- Each plan holds the one before it. Bought one by one the modules cost more than their plan, but for enterprise:
-- the ten sum to 69,990, and the kernel warns of it at start.
insert into kernel.plan_module (plan_code, module_code) values
  ('starter', 'finance'), ('starter', 'hrms'), ('starter', 'marketing'), ('starter', 'system_admin');
insert into kernel.plan_module (plan_code, module_code)
  select 'growth', module_code from kernel.plan_module where plan_code = 'starter'
  union values ('growth', 'oms_fulfillment'), ('growth', 'crm_service');
insert into kernel.plan_module (plan_code, module_code)
  select 'professional', module_code from kernel.plan_module where plan_code = 'growth'
  union values ('professional', 'procurement'), ('professional', 'sales_distribution'), ('professional', 'd2c_storefront');
insert into kernel.plan_module (plan_code, module_code)
  select 'enterprise', code from kernel.catalogue_module;

alter table kernel.tenant add constraint tenant_plan_fkey foreign key (plan) references kernel.plan;
`

export const down = `
alter table kernel.tenant drop constraint tenant_plan_fkey;
drop table kernel.plan_module;
drop table kernel.plan;
drop table kernel.catalogue_module;
`
