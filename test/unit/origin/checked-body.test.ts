import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { finished } from 'node:stream/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type BodyLimits, CheckedBody } from '../../../src/origin/http/checked-body.ts';

const limits: BodyLimits = {
  length: undefined,
  maxBytes: 1_000_000,
  idleTimeout: 10_000,
  totalTimeout: 60_000,
  minRate: 100,
  rateGrace: 5_000,
};

describe('a body from the origin', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const open = (more: Partial<BodyLimits> = {}, hasSurplus = false) => {
    const source = new PassThrough({ highWaterMark: 1_000_000 });
    const body = new CheckedBody(source, { ...limits, ...more }, () => hasSurplus);
    return {
      source,
      body,
      outcome: finished(body).then(
        () => 'whole',
        (error: unknown) => error,
      ),
    };
  };
  /** Lets what was written reach the reader; the streams work by ticks, not by timers. */
  const settle = () => new Promise((resolve) => setImmediate(resolve));

  test('that falls silent fails after the idle timeout', async () => {
    const { source, body, outcome } = open();
    body.resume();
    source.write('x'.repeat(5_000));
    await settle();
    await vi.advanceTimersByTimeAsync(9_999);
    expect(body.destroyed).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await outcome).toMatchObject({
      reason: 'origin-timeout',
      message: expect.stringContaining('silent for 10000'),
    });
    expect(source.destroyed).toBe(true);
  });

  test('is not blamed for a reader that takes its time', async () => {
    const { source, body, outcome } = open({ length: 200_000 });
    body.once('readable', () => {});
    source.write(Buffer.alloc(200_000));
    await settle();
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(body.destroyed).toBe(false);
    body.resume();
    source.end();
    expect(await outcome).toBe('whole');
  });

  test('that drips fails once it has been slow for long enough', async () => {
    const { source, body, outcome } = open();
    body.resume();
    for (let second = 0; second < 5; second += 1) {
      source.write('x'.repeat(50));
      await settle();
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(body.destroyed).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    source.write('x');
    expect(await outcome).toMatchObject({
      reason: 'origin-timeout',
      message: expect.stringContaining('less than 100 bytes a second'),
    });
  });

  test('that goes on for too long in all fails, however steady', async () => {
    const { source, body, outcome } = open();
    body.resume();
    for (let second = 0; second < 60; second += 1) {
      source.write('x'.repeat(1_000));
      await settle();
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(await outcome).toMatchObject({
      reason: 'origin-timeout',
      message: expect.stringContaining('too long in all'),
    });
  });

  test('with more bytes than stated fails though its source ends in good order', async () => {
    const { source, body, outcome } = open({ length: 5 }, true);
    body.resume();
    source.end('hello');
    expect(await outcome).toMatchObject({ reason: 'origin-error', message: expect.stringContaining('more than') });
  });

  test('with fewer bytes than stated fails though its source ends in good order', async () => {
    const { source, body, outcome } = open({ length: 6 });
    body.resume();
    source.end('hello');
    expect(await outcome).toMatchObject({ reason: 'origin-truncated', message: expect.stringContaining('5 of 6') });
  });

  test('of exactly the limit is whole, and of one byte more is too large', async () => {
    const whole = open({ maxBytes: 5 });
    whole.body.resume();
    whole.source.end('hello');
    expect(await whole.outcome).toBe('whole');

    const tooLarge = open({ maxBytes: 4 });
    tooLarge.body.resume();
    tooLarge.source.end('hello');
    expect(await tooLarge.outcome).toMatchObject({ reason: 'too-large' });
    expect(tooLarge.source.destroyed).toBe(true);
  });

  test('that fails before anybody reads is found failed by its reader', async () => {
    const source = new PassThrough();
    const body = new CheckedBody(source, limits, () => false);
    source.destroy(new Error('reset'));
    await settle();
    await expect(buffer(body)).rejects.toMatchObject({ reason: 'origin-truncated' });
  });

  test('gives the source up when its reader leaves, and leaves no timer', async () => {
    const { source, body } = open();
    body.resume();
    source.write('x');
    await settle();
    body.destroy();
    await settle();
    expect(source.destroyed).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });
});
