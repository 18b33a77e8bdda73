// A session in use is prolonged, by better-auth and by refresh tokens, and ends nevertheless: 30 days after the sign-in.

export const up = `
create function identity.end_session_at_last() returns trigger language plpgsql as $$
begin
  new."expiresAt" := least(new."expiresAt", new."createdAt" + interval '30 days');
  -- In its last days it is prolonged by nothing: then nobody is told that it changed.
  if tg_op = 'UPDATE' and new."expiresAt" = old."expiresAt" then
    new."updatedAt" := old."updatedAt";
  end if;
  return new;
end $$;
create trigger end_session_at_last before insert or update of "expiresAt" on identity.session
  for each row execute function identity.end_session_at_last();

drop trigger announce_session on identity.session;
create trigger announce_session after delete on identity.session
  for each row execute function identity.announce_session();
create trigger announce_changed_session after update on identity.session
  for each row when (old.* is distinct from new.*) execute function identity.announce_session();
`

export const down = `
drop trigger announce_changed_session on identity.session;
drop trigger announce_session on identity.session;
create trigger announce_session after delete or update on identity.session
  for each row execute function identity.announce_session();
drop trigger end_session_at_last on identity.session;
drop function identity.end_session_at_last();
`
