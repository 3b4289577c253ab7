import { describe, expect, test } from 'vitest';
import { createFailedTokens } from '../../../src/admin/access/failed-tokens.ts';

function tenFailures(address: string, clock = { now: () => 1 }) {
  const failures = createFailedTokens(clock);
  for (let attempt = 0; attempt < 10; attempt += 1) {
    expect(failures.blockedFor(address)).toBe(0);
    failures.record(address);
  }
  return failures;
}

describe('the limit on wrong tokens', () => {
  test('blocks an address after ten, and no other address', () => {
    const failures = tenFailures('192.0.2.1');
    expect(failures.blockedFor('192.0.2.1')).toBe(60);
    expect(failures.blockedFor('192.0.2.2')).toBe(0);
  });

  test('is over a minute after the first wrong token, however many came after it', () => {
    let now = 1;
    const failures = tenFailures('192.0.2.1', { now: () => now });
    now += 59_000;
    failures.record('192.0.2.1');
    expect(failures.blockedFor('192.0.2.1')).toBe(1);
    now += 1_001;
    expect(failures.blockedFor('192.0.2.1')).toBe(0);
  });

  test('takes an IPv6 /64 as one address, however it is written', () => {
    const failures = tenFailures('2001:db8:0:1::1');
    expect(failures.blockedFor('2001:db8:0:1:a:b:c:d')).toBe(60);
    expect(failures.blockedFor('2001:db8:0:2::1')).toBe(0);
  });
});
