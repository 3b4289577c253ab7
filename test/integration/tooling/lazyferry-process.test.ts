import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { startLazyferry } from '../../support/lazyferry-process.ts';

const entry = join(import.meta.dirname, 'fixtures/stand-in.ts');

afterEach(() => vi.unstubAllEnvs());

it('a test gets the URLs of a process that is ready, and its orderly end with the whole log', async () => {
  await using ferry = await startLazyferry({ args: [], entry });
  expect(await (await fetch(ferry.delivery)).text()).toBe('alive');
  expect(ferry.admin).toBe(`${ferry.delivery}/admin`);
  expect(ferry.store).toBeUndefined();
  expect(await ferry.terminate()).toEqual({ code: 0, signal: null });
  expect(ferry.logs.at(-1)).toEqual({ event: 'stopped' });
  expect(ferry.output()).toContain('a line that is not JSON');
});

it('a crash is told from an orderly end, and waiting for a line that never comes ends with it', async () => {
  await using ferry = await startLazyferry({ args: [], entry });
  const never = expect(ferry.logged((line) => line.event === 'never')).rejects.toThrow(/ended with SIGKILL/);
  expect(await ferry.kill()).toEqual({ code: null, signal: 'SIGKILL' });
  await never;
});

it('a paused process answers once it is resumed', async () => {
  await using ferry = await startLazyferry({ args: [], entry });
  ferry.pause();
  await expect(fetch(ferry.delivery, { signal: AbortSignal.timeout(200) })).rejects.toThrow();
  ferry.resume();
  expect(await (await fetch(ferry.delivery)).text()).toBe('alive');
});

it('a signal is seen by its log line', async () => {
  await using ferry = await startLazyferry({ args: [], entry });
  const reloaded = ferry.logged((line) => line.event === 'reloaded');
  ferry.signal('SIGHUP');
  expect(await reloaded).toEqual({ event: 'reloaded' });
});

it('a start that fails shows what the process said', async () => {
  await expect(startLazyferry({ args: ['--fail'], entry })).rejects.toThrow(
    /ended with 1:\nmappings: at least one mapping is needed/,
  );
});

it('the account of the developer never reaches the process, and its data goes with it', async () => {
  vi.stubEnv('CLOUDINARY_URL', 'cloudinary://key:secret@theirs');
  const ferry = await startLazyferry({ args: [], entry });
  expect(existsSync(ferry.dataDirectory)).toBe(true);
  expect(ferry.logs[0]?.account).toBeUndefined();
  await ferry[Symbol.asyncDispose]();
  expect(existsSync(ferry.dataDirectory)).toBe(false);
});
