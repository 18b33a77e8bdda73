// The organisation costs nothing and comes with every plan: the kernel's own roles and approvals ask it who belongs where.

export const up = `
insert into kernel.catalogue_module (code, title, module, monthly_price)
  values ('organisation', 'Organisation', 'organisation', 0);
insert into kernel.plan_module (plan_code, module_code) select code, 'organisation' from kernel.plan;
`

export const down = `
delete from kernel.plan_module where module_code = 'organisation';
delete from kernel.catalogue_module where code = 'organisation';
`
