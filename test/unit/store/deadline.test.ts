import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Deadline } from '../../../src/store/cloudinary/deadline.ts';

describe('a deadline', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('ends after the longest silence', () => {
    const deadline = new Deadline(100, 1000);
    vi.advanceTimersByTime(99);
    expect(deadline.signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(deadline.signal.aborted).toBe(true);
  });

  it('is put off by each sign of life, and not beyond the time in all', () => {
    const deadline = new Deadline(100, 1000);
    for (let passed = 0; passed < 990; passed += 90) {
      expect(deadline.signal.aborted).toBe(false);
      vi.advanceTimersByTime(90);
      deadline.resume();
    }
    vi.advanceTimersByTime(10);
    expect(deadline.signal.aborted).toBe(true);
  });

  it('stands still while it is paused', () => {
    const deadline = new Deadline(100, 150);
    vi.advanceTimersByTime(90);
    deadline.pause();
    vi.advanceTimersByTime(100_000);
    deadline.resume();
    vi.advanceTimersByTime(59);
    expect(deadline.signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(deadline.signal.aborted).toBe(true);
  });
});
