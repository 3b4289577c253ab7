import { describe, expect, test } from 'vitest';
import { createSessions, sessionLifetime, sessionValues } from '../../../src/admin/access/session.ts';

describe('a dashboard session', () => {
  test('keeps the role of the token it was issued for', () => {
    const sessions = createSessions();
    expect(sessions.read(sessions.issue('read'))).toBe('read');
    expect(sessions.read(sessions.issue('operate'))).toBe('operate');
  });

  test('ends when its lifetime is over, however often it was used', () => {
    let now = 1_000_000;
    const sessions = createSessions({ now: () => now });
    const session = sessions.issue('read');
    now += sessionLifetime - 1;
    expect(sessions.read(session)).toBe('read');
    now += 2;
    expect(sessions.read(session)).toBeUndefined();
  });

  test('ends by logging out, and no other one with it', () => {
    const sessions = createSessions();
    const [mine, other] = [sessions.issue('operate'), sessions.issue('operate')];
    expect(sessions.end(mine)).toBe('operate');
    expect(sessions.read(mine)).toBeUndefined();
    expect(sessions.end(mine)).toBeUndefined();
    expect(sessions.read(other)).toBe('operate');
  });

  test('ends with its process, and so with each change of a token', () => {
    expect(createSessions().read(createSessions().issue('operate'))).toBeUndefined();
  });

  test('is nothing that could be made up', () => {
    const sessions = createSessions();
    const session = sessions.issue('read');
    for (const forged of ['', 'operate', session.slice(1), session.toLowerCase(), `${session}=`, '__proto__']) {
      expect(sessions.read(forged), forged).toBeUndefined();
    }
    expect(Buffer.from(session, 'base64url')).toHaveLength(32);
  });

  test('takes bounded memory: the one used longest ago makes room', () => {
    const sessions = createSessions();
    const first = sessions.issue('read');
    const second = sessions.issue('read');
    for (let login = 0; login < 999; login += 1) {
      sessions.issue('read');
      sessions.read(second);
    }
    expect(sessions.read(first)).toBeUndefined();
    expect(sessions.read(second)).toBe('read');
  });

  test('is found among other cookies, also beside one with the same name', () => {
    expect(sessionValues('a=b; lazyferry_session=x.y; lazyferry_session=z;lazyferry_session')).toEqual(['x.y', 'z']);
    expect(sessionValues(undefined)).toEqual([]);
  });
});
