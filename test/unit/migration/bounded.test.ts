import { expect, test } from 'vitest';
import { Bounded } from '../../../src/migration/bounded.ts';
import type { MigrationOutcome, MigrationRequest, Migrator } from '../../../src/migration/migrator.ts';
import { SingleFlight } from '../../../src/migration/single-flight.ts';

/** Jobs that end when the test says so. */
class HeldMigrator implements Migrator {
  readonly started: string[] = [];
  readonly #ends = new Map<string, PromiseWithResolvers<MigrationOutcome>>();

  migrate({ asset }: MigrationRequest): Promise<MigrationOutcome> {
    const end = Promise.withResolvers<MigrationOutcome>();
    this.started.push(asset.key.path);
    this.#ends.set(asset.key.path, end);
    return end.promise;
  }

  end(path: string): void {
    this.#ends.get(path)?.resolve({ kind: 'postponed', why: 'superseded' });
  }

  fail(path: string): void {
    this.#ends.get(path)?.reject(new Error('a bug'));
  }
}

function requestFor(path: string): MigrationRequest {
  const key = { mapping: '/images/', path, query: '' };
  return {
    asset: { key, originUrl: path, publicId: path, resourceType: 'image', deliveryType: 'upload', filename: path },
  };
}

test('so many jobs run at a time, the others in order of arrival, also behind a failed one', async () => {
  const inner = new HeldMigrator();
  const bounded = new Bounded(inner, { concurrency: () => 2, queue: 10 });
  const jobs = ['a', 'b', 'c', 'd'].map((path) => bounded.migrate(requestFor(path)));
  expect(inner.started).toEqual(['a', 'b']);
  expect(bounded.queued).toBe(2);
  inner.fail('b');
  await expect(jobs[1]).rejects.toThrow('a bug');
  const late = bounded.migrate(requestFor('e'));
  inner.end('a');
  await jobs[0];
  await new Promise(setImmediate);
  expect(inner.started).toEqual(['a', 'b', 'c', 'd']);
  for (const path of ['c', 'd']) inner.end(path);
  await Promise.all(jobs.slice(2));
  inner.end('e');
  await late;
});

test('a job beyond the queue is postponed at once', async () => {
  const inner = new HeldMigrator();
  const bounded = new Bounded(inner, { concurrency: () => 1, queue: 1 });
  const jobs = [bounded.migrate(requestFor('a')), bounded.migrate(requestFor('b'))];
  expect(await bounded.migrate(requestFor('c'))).toEqual({ kind: 'postponed', why: 'overloaded' });
  inner.end('a');
  await jobs[0];
  inner.end('b');
  await jobs[1];
});

test('a stop lets the running job end and starts none of those that wait', async () => {
  const inner = new HeldMigrator();
  const bounded = new Bounded(inner, { concurrency: () => 1, queue: 5 });
  const jobs = ['a', 'b', 'c'].map((path) => bounded.migrate(requestFor(path)));
  bounded.stop();
  inner.end('a');
  const stopping = { kind: 'postponed', why: 'stopping' };
  expect(await Promise.all(jobs.slice(1))).toEqual([stopping, stopping]);
  expect(await bounded.migrate(requestFor('d'))).toEqual(stopping);
  expect(inner.started).toEqual(['a']);
});

test('whoever asks for an asset while its job runs shares it; afterwards there is a new one, also after a failure', async () => {
  const inner = new HeldMigrator();
  const flights = new SingleFlight(inner);
  const jobs = Array.from({ length: 200 }, () => flights.migrate(requestFor('a')));
  const other = flights.migrate(requestFor('b'));
  expect(inner.started).toEqual(['a', 'b']);
  inner.fail('a');
  for (const job of await Promise.allSettled(jobs)) expect(job.status).toBe('rejected');
  const again = flights.migrate(requestFor('a'));
  expect(inner.started).toEqual(['a', 'b', 'a']);
  for (const path of ['a', 'b']) inner.end(path);
  await flights.idle();
  await Promise.all([again, other]);
  expect(flights.has(requestFor('a').asset.key)).toBe(false);
});
