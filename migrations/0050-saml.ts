// A tenant's provider may speak SAML instead of OpenID Connect: then it has an address to send people to and certificates
// that are pinned, and neither a client nor a secret.

export const up = `
alter table kernel.sso_connection
  alter column client_id drop not null,
  alter column sealed_secret drop not null,
  add column saml jsonb,
  add check ((saml is null) = (client_id is not null and sealed_secret is not null));

-- What a row waits for: the way back from a provider of either kind, or the browser of somebody whom one has vouched for.
alter table identity.sso_flow
  add column stage text not null default 'oidc' check (stage in ('oidc', 'saml', 'vouched'));
`

export const down = `
delete from identity.sso_flow where stage <> 'oidc';
alter table identity.sso_flow drop column stage;
delete from kernel.sso_connection where saml is not null;
alter table kernel.sso_connection
  drop column saml,
  alter column client_id set not null,
  alter column sealed_secret set not null;
`
