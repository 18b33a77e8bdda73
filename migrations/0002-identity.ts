// People, sessions and credentials: the core tables of better-auth 1.7 with e-mail and password, columns and names
// as its own migration compiler writes them. A test compares the two.

export const up = `
create schema identity;

create table identity."user" (
  "id" text not null primary key,
  "name" text not null,
  "email" text not null unique,
  "emailVerified" boolean not null,
  "image" text,
  "createdAt" timestamptz default current_timestamp not null,
  "updatedAt" timestamptz default current_timestamp not null
);
-- Addresses are looked up without regard to case, and two that differ in nothing else are one person.
create unique index user_lower_email_idx on identity."user" (lower("email"));

create table identity.session (
  "id" text not null primary key,
  "expiresAt" timestamptz not null,
  "token" text not null unique,
  "createdAt" timestamptz default current_timestamp not null,
  "updatedAt" timestamptz not null,
  "ipAddress" text,
  "userAgent" text,
  "userId" text not null references identity."user" ("id") on delete cascade
);
create index "session_userId_idx" on identity.session ("userId");

create table identity.account (
  "id" text not null primary key,
  "accountId" text not null,
  "providerId" text not null,
  "userId" text not null references identity."user" ("id") on delete cascade,
  "accessToken" text,
  "refreshToken" text,
  "idToken" text,
  "accessTokenExpiresAt" timestamptz,
  "refreshTokenExpiresAt" timestamptz,
  "scope" text,
  "password" text,
  "createdAt" timestamptz default current_timestamp not null,
  "updatedAt" timestamptz not null
);
create index "account_userId_idx" on identity.account ("userId");

create table identity.verification (
  "id" text not null primary key,
  "identifier" text not null,
  "value" text not null,
  "expiresAt" timestamptz not null,
  "createdAt" timestamptz default current_timestamp not null,
  "updatedAt" timestamptz default current_timestamp not null
);
create index "verification_identifier_idx" on identity.verification ("identifier");

-- Kernel processes keep sessions in memory: one that ends or changes is told to all of them.
create function identity.announce_session() returns trigger language plpgsql as $$
begin
  perform pg_catalog.pg_notify('plinth_config', json_build_object('kind', 'session', 'id', old."id")::text);
  return null;
end $$;
create trigger announce_session after delete or update on identity.session
  for each row execute function identity.announce_session();
`

export const down = `
drop table identity.verification;
drop table identity.account;
drop table identity.session;
drop function identity.announce_session();
drop table identity."user";
drop schema identity;
`
