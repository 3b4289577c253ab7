import { describe, expect, test } from 'vitest';
import { adminAccessProblems, isLoopback } from '../../../src/admin/access/exposure.ts';

const good = '0123456789abcdef0123456789abcdef';

describe('who may reach the admin side', () => {
  test.each(['127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1', 'localhost', 'LOCALHOST'])(
    '%s is this machine only',
    (host) => {
      expect(isLoopback(host)).toBe(true);
      expect(adminAccessProblems({ host })).toEqual([]);
    },
  );

  test.each([
    '0.0.0.0',
    '::',
    '10.0.0.1',
    '128.0.0.1',
    '::ffff:10.0.0.1',
    'localhost.example.com',
    '127.0.0.1.nip.io',
    '',
  ])('%s without a token refuses to start, and says what to do', (host) => {
    expect(adminAccessProblems({ host })).toEqual([expect.stringContaining('set LAZYFERRY_ADMIN_TOKEN, or listen on')]);
  });

  test('any address may be used with a token', () => {
    expect(adminAccessProblems({ host: '0.0.0.0', token: good })).toEqual([]);
    expect(adminAccessProblems({ host: '0.0.0.0', readToken: good })).toEqual([]);
  });

  test.each(['', 'short', 'with a space in the middle', 'ümlaut-ümlaut-ümlaut'])(
    'a token that is weak or cannot be sent (%j) refuses to start, without repeating it',
    (token) => {
      const problems = adminAccessProblems({ host: '127.0.0.1', token });
      expect(problems).toEqual([expect.stringMatching(/^LAZYFERRY_ADMIN_TOKEN must have at least 16/)]);
      if (token !== '') expect(problems.join()).not.toContain(token);
    },
  );

  test('one token for both roles refuses to start', () => {
    expect(adminAccessProblems({ host: '::', token: good, readToken: good })).toEqual([
      expect.stringContaining('give each role a token of its own'),
    ]);
  });
});
