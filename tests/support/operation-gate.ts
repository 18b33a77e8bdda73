// Stops a kernel process between the deed of an operation's step and its note, and breaks the connection the note was to
// go over: what has been done then, nobody has written down.
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'

export interface OperationGate {
  /** Whoever is about to note that this step is done is stopped from now on. */
  close(step: string): Promise<void>
  /** Resolves when somebody stands before the gate. */
  reached(): Promise<void>
  /** Breaks the connection of who stands there; nobody is stopped any more. */
  open(): Promise<void>
}

const lock = 0x6761_7465
const deadlineMs = 20_000
const waiting = `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = ${lock} AND NOT granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`

/** `admin`: a superuser's connection that is used for nothing else. */
export async function operationGate(admin: pg.Client): Promise<OperationGate> {
  await admin.query(`
    CREATE TABLE public.gate (step text);
    INSERT INTO public.gate VALUES ('');
    CREATE FUNCTION public.stop_at_gate() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
      DECLARE closed text := (SELECT step FROM public.gate);
      BEGIN
        IF closed = ANY (new.done) AND NOT closed = ANY (old.done) THEN PERFORM pg_advisory_xact_lock(${lock}); END IF;
        RETURN new;
      END $$;
    CREATE TRIGGER gate BEFORE UPDATE ON kernel.plugin_operation FOR EACH ROW EXECUTE FUNCTION public.stop_at_gate();`)
  return {
    async close(step) {
      await admin.query(`SELECT pg_advisory_lock(${lock})`)
      await admin.query('UPDATE public.gate SET step = $1', [step])
    },
    async reached() {
      const deadline = Date.now() + deadlineMs
      for (;;) {
        const { rowCount } = await admin.query(waiting)
        if (rowCount !== null && rowCount > 0) return
        if (Date.now() > deadline) throw new Error('Nobody came to the gate.')
        await sleep(10)
      }
    },
    async open() {
      await admin.query(`UPDATE public.gate SET step = ''`)
      await admin.query(`SELECT pg_terminate_backend(pid) FROM (${waiting}) w`)
      while ((await admin.query(waiting)).rowCount !== 0) await sleep(10)
      await admin.query(`SELECT pg_advisory_unlock(${lock})`)
    },
  }
}
