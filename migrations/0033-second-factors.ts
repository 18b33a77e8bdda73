// Second factors: the tables of better-auth's plugin for one-time codes, with its names, and those of passkeys.

export const up = `
alter table identity."user" add column "twoFactorEnabled" boolean;

create table identity."twoFactor" (
  "id" text not null primary key,
  "secret" text not null,
  "backupCodes" text not null,
  "userId" text not null references identity."user" ("id") on delete cascade,
  "verified" boolean,
  "failedVerificationCount" integer,
  "lockedUntil" timestamptz
);
create index "twoFactor_secret_idx" on identity."twoFactor" ("secret");
create index "twoFactor_userId_idx" on identity."twoFactor" ("userId");

-- A code of an authenticator is good for a minute and a half, and for one use.
create table identity.used_code (
  user_id text not null references identity."user" ("id") on delete cascade,
  code text not null,
  used_at timestamptz(3) not null default now(),
  primary key (user_id, code)
);

create table identity.passkey (
  id uuid primary key,
  user_id text not null references identity."user" ("id") on delete cascade,
  credential_id text not null unique,
  public_key bytea not null,
  counter bigint not null,
  transports text[] not null,
  name text not null,
  is_backed_up boolean not null,
  created_at timestamptz(3) not null default now(),
  last_used_at timestamptz(3)
);
create index passkey_user_id_idx on identity.passkey (user_id);

-- Used once, by deleting the row. Without a person: a sign-in, whoever it turns out to be.
create table identity.passkey_challenge (
  id uuid primary key,
  challenge text not null,
  user_id text references identity."user" ("id") on delete cascade,
  expires_at timestamptz(3) not null
);
create index passkey_challenge_expires_at_idx on identity.passkey_challenge (expires_at);
`

export const down = `
drop table identity.passkey_challenge;
drop table identity.passkey;
drop table identity.used_code;
drop table identity."twoFactor";
alter table identity."user" drop column "twoFactorEnabled";
`
