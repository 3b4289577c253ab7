import { describe, expect, test } from 'vitest';
import { createSessions, sessionLifetime, sessionValues } from '../../../src/admin/access/session.ts';

const tokens = { token: 'operate-token-0123456789', readToken: 'read-token-0123456789' };

describe('a dashboard session', () => {
  test('keeps the role of the token it was issued for', () => {
    const sessions = createSessions(tokens);
    expect(sessions.read(sessions.issue('read'))).toBe('read');
    expect(sessions.read(sessions.issue('operate'))).toBe('operate');
  });

  test('is known to another process with the same tokens', () => {
    expect(createSessions(tokens).read(createSessions(tokens).issue('read'))).toBe('read');
  });

  test('ends when its lifetime is over', () => {
    let now = 1_000_000;
    const sessions = createSessions(tokens, () => now);
    const session = sessions.issue('read');
    now += sessionLifetime - 1;
    expect(sessions.read(session)).toBe('read');
    now += 1;
    expect(sessions.read(session)).toBeUndefined();
  });

  test('ends when a token is changed', () => {
    const session = createSessions(tokens).issue('operate');
    expect(createSessions({ ...tokens, token: 'another-token-0123456789' }).read(session)).toBeUndefined();
    expect(createSessions({ ...tokens, readToken: undefined }).read(session)).toBeUndefined();
  });

  test('cannot be forged: not its role, not its end, not its signature', () => {
    const sessions = createSessions(tokens);
    const session = sessions.issue('read');
    const [role = '', expiry = '', nonce = '', signature = ''] = session.split('.');
    const flipped = (signature.startsWith('A') ? 'B' : 'A') + signature.slice(1);
    for (const forged of [
      ['operate', expiry, nonce, signature],
      [role, String(Number(expiry) + 1), nonce, signature],
      [role, expiry, nonce, flipped],
      [role, expiry, nonce, ''],
      ['', '', '', ''],
    ]) {
      expect(sessions.read(forged.join('.'))).toBeUndefined();
    }
  });

  test('is found among other cookies, also beside one with the same name', () => {
    expect(sessionValues('a=b; lazyferry_session=x.y; lazyferry_session=z;lazyferry_session')).toEqual(['x.y', 'z']);
    expect(sessionValues(undefined)).toEqual([]);
  });
});
