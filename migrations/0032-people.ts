// People: the mail that is waiting to be sent, invitations, members who are deactivated, persons who are disabled, links
// that are sent to a mailbox, attempts that failed, and what happened to a person's account.

export const up = `
-- The content is sealed, for it holds links that let somebody in; it is emptied when the mail is sent or given up.
create table kernel.mail (
  id uuid primary key,
  tenant_id uuid references kernel.tenant on delete cascade,
  kind text not null,
  recipient text not null,
  content bytea,
  attempts integer not null default 0,
  next_at timestamptz(3) not null default now(),
  last_error text,
  created_at timestamptz(3) not null default now(),
  sent_at timestamptz(3),
  dead_at timestamptz(3)
);
create index mail_waiting_idx on kernel.mail (next_at) where sent_at is null and dead_at is null;
create index mail_tenant_id_idx on kernel.mail (tenant_id);
-- Heard at the commit, by every kernel process; the first to look takes it.
create function kernel.announce_mail() returns trigger language plpgsql as $$
begin
  perform pg_catalog.pg_notify('plinth_config', '{"kind":"mail","id":""}');
  return null;
end $$;
create trigger announce_mail after insert on kernel.mail
  for each statement execute function kernel.announce_mail();

-- A token is in the mail alone; here is its hash.
create table kernel.invitation (
  tenant_id uuid not null references kernel.tenant on delete cascade,
  id uuid not null,
  email text not null,
  role text not null check (role in ('owner', 'admin', 'member')),
  language text not null,
  token_hash bytea not null unique,
  invited_by text not null,
  created_at timestamptz(3) not null default now(),
  expires_at timestamptz(3) not null,
  accepted_at timestamptz(3),
  accepted_by text,
  revoked_at timestamptz(3),
  primary key (tenant_id, id)
);
create unique index invitation_open_idx on kernel.invitation (tenant_id, lower(email))
  where accepted_at is null and revoked_at is null;

alter table kernel.membership add column deactivated_at timestamptz(3);

create table identity.person (
  user_id text primary key references identity."user" ("id") on delete cascade,
  language text not null default 'en',
  disabled_at timestamptz(3),
  disabled_reason text
);

-- Nobody who is disabled gets a session, whichever way he signs in. The lock makes disabling wait for sessions that are
-- being made, and sessions wait for a person who is being disabled.
create function identity.refuse_disabled() returns trigger language plpgsql as $$
begin
  perform from identity."user" where "id" = new."userId" for key share;
  if exists (select from identity.person where user_id = new."userId" and disabled_at is not null) then
    raise exception 'this person is disabled' using errcode = 'PL001';
  end if;
  return new;
end $$;
create trigger refuse_disabled before insert on identity.session
  for each row execute function identity.refuse_disabled();

-- Links for a mailbox: used once, by deleting the row.
create table identity.link (
  token_hash bytea primary key,
  purpose text not null check (purpose in ('reset-password', 'verify-email', 'change-email')),
  user_id text not null references identity."user" ("id") on delete cascade,
  email text not null,
  created_at timestamptz(3) not null default now(),
  expires_at timestamptz(3) not null
);
create index link_user_id_idx on identity.link (user_id, purpose);

-- Attempts by what they were made on or from; the keys are hashes.
create table identity.throttle (
  key bytea primary key,
  failures integer not null,
  blocked_until timestamptz(3) not null,
  updated_at timestamptz(3) not null default now()
);
create index throttle_updated_at_idx on identity.throttle (updated_at);

-- What happened to an account. Without a foreign key: it stays when the person goes.
create table identity.event (
  id uuid primary key,
  at timestamptz(3) not null default now(),
  user_id text,
  kind text not null,
  address text not null,
  user_agent text,
  request_id text not null,
  detail jsonb
);
create index event_user_id_idx on identity.event (user_id, id);
`

export const down = `
drop table identity.event;
drop table identity.throttle;
drop table identity.link;
drop trigger refuse_disabled on identity.session;
drop function identity.refuse_disabled();
drop table identity.person;
alter table kernel.membership drop column deactivated_at;
drop table kernel.invitation;
drop table kernel.mail;
drop function kernel.announce_mail();
`
