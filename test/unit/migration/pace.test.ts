import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Pace } from '../../../src/migration/pace.ts';

/** What two processes share; in the tests of the ledgers it is a real one. */
class SharedPause {
  until = 0;
  async pause(forMs: number): Promise<void> {
    this.until = Math.max(this.until, performance.now() + forMs);
  }
  async pausedFor(): Promise<number> {
    return Math.max(0, this.until - performance.now());
  }
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

function paceOf(ledger: Pick<SharedPause, 'pause' | 'pausedFor'>, more: { onPause?: (ms: number) => void } = {}): Pace {
  return new Pace({ ledger, most: 8, now: () => performance.now(), random: () => 0, ...more });
}

test('a process that the store never limited waits because another one was', async () => {
  vi.useRealTimers();
  const ledger = new SharedPause();
  const [limited, other] = [paceOf(ledger), paceOf(ledger)];
  const startedAt = performance.now();
  limited.limited(80);
  expect(other.pausedFor).toBe(0);
  await other.clearance(new AbortController().signal);
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(79);
});

test('a limit that names no end pauses for longer each time, until an upload gets through', () => {
  const pauses: number[] = [];
  const pace = paceOf(new SharedPause(), { onPause: (ms) => pauses.push(ms) });
  for (let time = 0; time < 3; time += 1) {
    pace.limited(undefined);
    vi.advanceTimersByTime(pace.pausedFor + 1);
  }
  pace.succeeded();
  pace.limited(undefined);
  expect(pauses).toEqual([2_000, 4_000, 8_000, 2_000]);
});

test('after a limit half as many uploads run at a time, and one more for each round that gets through', () => {
  const pace = paceOf(new SharedPause());
  pace.limited(1_000);
  pace.limited(1_000);
  expect(pace.slots).toBe(4);
  for (let upload = 0; upload < 5; upload += 1) pace.succeeded();
  expect(pace.slots).toBe(5);
  for (let upload = 0; upload < 500; upload += 1) pace.succeeded();
  expect(pace.slots).toBe(8);
});

test('a stop ends the waiting at once', async () => {
  const pace = paceOf(new SharedPause());
  pace.limited(60_000);
  const stop = new AbortController();
  const waiting = pace.clearance(stop.signal);
  await vi.advanceTimersByTimeAsync(1);
  stop.abort(new Error('stopping'));
  await expect(waiting).rejects.toThrow();
});

test('a ledger that is down holds nobody up: the claim will tell', async () => {
  const pace = paceOf({
    pause: () => Promise.reject(new Error('down')),
    pausedFor: () => Promise.reject(new Error('down')),
  });
  await pace.clearance(new AbortController().signal);
});
