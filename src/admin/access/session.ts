import { createHash, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Role } from './tokens.ts';

export const sessionCookie = 'lazyferry_session';

/** How long a login lasts, in milliseconds. */
export const sessionLifetime = 8 * 3600_000;

/** Logins at a time; one more ends the one that was used longest ago. */
const mostSessions = 1_000;

export interface Sessions {
  /** The cookie value of a new session. */
  issue(role: Role): string;
  /** The role of a presented cookie value; undefined when there is no such session, or no longer. */
  read(value: string): Role | undefined;
  /** Ends the session, whoever else has its cookie; tells its role where there was one. */
  end(value: string): Role | undefined;
}

/**
 * Dashboard sessions, kept by the process that issued them: only so can logging out end one for whoever holds a copy of
 * its cookie. The process’s end ends them all, and with it every change of a token, which takes a restart.
 *
 * Kept by digest: how long a look-up takes tells nothing of the values.
 */
export function createSessions(clock: { now(): number } = performance): Sessions {
  const roles = new LRUCache<string, Role>({
    max: mostSessions,
    ttl: sessionLifetime,
    ttlResolution: 0,
    perf: clock,
  });
  const keyOf = (value: string) => createHash('sha256').update(value).digest('base64url');

  return {
    issue(role) {
      const value = randomBytes(32).toString('base64url');
      roles.set(keyOf(value), role);
      return value;
    },
    read: (value) => roles.get(keyOf(value)),
    end(value) {
      const key = keyOf(value);
      const role = roles.get(key);
      roles.delete(key);
      return role;
    },
  };
}

/** The values of our cookie in a `Cookie` header: a client may send several, only one of which is ours. */
export function sessionValues(cookieHeader: string | undefined): string[] {
  return (cookieHeader ?? '').split(';').flatMap((pair) => {
    const [name, value] = pair.trim().split('=', 2);
    return name === sessionCookie && value !== undefined ? [value] : [];
  });
}
