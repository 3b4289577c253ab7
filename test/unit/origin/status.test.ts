import { describe, expect, test } from 'vitest';
import { parseRetryAfter, reasonOfStatus, statusFailure } from '../../../src/origin/status.ts';

describe('the reason an origin’s status stands for', () => {
  test.each([200, 206, 304, 412, 416])('%i speaks of the object: none', (status) => {
    expect(reasonOfStatus(status)).toBeUndefined();
  });

  test.each([
    [401, 'origin-denied'],
    [403, 'origin-denied'],
    [404, 'origin-not-found'],
    [407, 'origin-denied'],
    [408, 'origin-timeout'],
    [410, 'origin-gone'],
    [451, 'origin-denied'],
    [400, 'origin-error'],
    [418, 'origin-error'],
    [429, 'origin-error'],
    [500, 'origin-error'],
    [502, 'origin-error'],
    [503, 'origin-error'],
    [504, 'origin-error'],
  ])('%i is %s', (status, reason) => {
    expect(reasonOfStatus(status)).toBe(reason);
  });

  test.each([201, 202, 203, 204, 205, 226])('%i brings no complete object: origin-error', (status) => {
    expect(reasonOfStatus(status)).toBe('origin-error');
  });

  test.each([300, 301, 302, 305, 307, 399])('%i that was not followed: origin-error', (status) => {
    expect(reasonOfStatus(status)).toBe('origin-error');
  });
});

describe('the failure', () => {
  test('says what was answered and how long to wait', () => {
    const failure = statusFailure({ status: 503, headers: { 'retry-after': '120' } });
    expect(failure).toMatchObject({ reason: 'origin-error', status: 503, retryAfterMs: 120_000 });
    expect(failure?.message).toBe('the origin answered 503');
  });

  test('names the mend where credentials are missing', () => {
    expect(statusFailure({ status: 401, headers: {} })?.hint).toContain('auth');
  });

  test('is none for a good answer', () => {
    expect(statusFailure({ status: 200, headers: {} })).toBeUndefined();
  });
});

describe('Retry-After', () => {
  const now = Date.parse('2026-11-24T12:00:00Z');
  test.each([
    ['30', 30_000],
    [' 5 ', 5_000],
    ['Tue, 24 Nov 2026 12:01:00 GMT', 60_000],
    ['Tuesday, 24-Nov-26 12:00:10 GMT', 10_000],
    ['Tue, 24 Nov 2026 11:00:00 GMT', 0],
    ['999999999', 86_400_000],
    ['Sat, 13 Sep 275760 00:00:00 GMT', 86_400_000],
  ])('%s is %i ms from noon', (value, expected) => {
    expect(parseRetryAfter(value, now)).toBe(expected);
  });

  test.each([undefined, '', 'soon', '-5', '1.5', '1e3', 'Tue, someday', '99999999999'])('%s is ignored', (value) => {
    expect(parseRetryAfter(value, now)).toBeUndefined();
  });
});
