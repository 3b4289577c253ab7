import type { DutyRequest } from '../ledger.ts';
import { hasPassed } from '../transitions.ts';
import type { Connection } from './connection.ts';

/** What concerns the fleet as a whole: who has a duty, and how long uploads pause. Within a step each. */

const pauseRow = 'pause';

export function takeDuty(connection: Connection, { duty, owner, leaseMs }: DutyRequest, now: number): boolean {
  const name = `duty ${duty}`;
  const current = read(connection, name);
  if (current !== undefined && current.holder !== owner && !hasPassed(current.until, current.since, now)) return false;
  write(connection, name, owner, now, now + leaseMs);
  return true;
}

export function pause(connection: Connection, forMs: number, now: number): void {
  if (pausedFor(connection, now) < forMs) write(connection, pauseRow, '', now, now + Math.ceil(forMs));
}

export function pausedFor(connection: Connection, now: number): number {
  const current = read(connection, pauseRow);
  return current === undefined || hasPassed(current.until, current.since, now) ? 0 : current.until - now;
}

interface Row {
  readonly holder: string;
  readonly since: number;
  readonly until: number;
}

function read(connection: Connection, name: string): Row | undefined {
  const row = connection.prepare('SELECT holder, since, until FROM fleet WHERE name = ?').get(name);
  return row as unknown as Row | undefined;
}

function write(connection: Connection, name: string, holder: string, since: number, until: number): void {
  connection
    .prepare(
      `INSERT INTO fleet (name, holder, since, until) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET holder = excluded.holder, since = excluded.since, until = excluded.until`,
    )
    .run(name, holder, since, until);
}
