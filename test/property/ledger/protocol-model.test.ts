import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const run = promisify(execFile);
const model = fileURLToPath(new URL('../../../docs/protocol.pml', import.meta.url));
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lazyferry-spin-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Builds the model with these definitions and walks every state of it. Resolves with what spin's checker says. */
async function check(name: string, ...definitions: string[]): Promise<string> {
  const cwd = await mkdtemp(join(folder, name));
  try {
    await run('spin', [...definitions.map((definition) => `-D${definition}`), '-a', model], { cwd });
    await run('gcc', ['-w', '-O2', '-DSAFETY', '-o', 'pan', 'pan.c'], { cwd });
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (missing) throw new Error('spin or gcc is not installed: apt-get install spin gcc (this test never skips)');
    throw error;
  }
  const { stdout } = await run(join(cwd, 'pan'), ['-m100000'], { cwd, maxBuffer: 2 ** 24 });
  return stdout;
}

test('in every state of the model the claim protocol is safe, and the asset can still be finished', {
  timeout: 120_000,
}, async () => {
  const report = await check('whole', 'CLAIMANTS=2', 'TRIES=2');
  expect(report).toMatch(/errors: 0\b/);
  expect(report).not.toMatch(/max search depth too small|Search not completed/);
  const states = Number(/(\d+(?:\.\d+)?(?:e\+\d+)?) states, stored/.exec(report)?.[1]);
  expect(states).toBeGreaterThan(1_000_000);
});

describe('a protocol that is broken in one place is caught', () => {
  test.each([
    ['a stale claimant may settle', 'NO_FENCING', 'token==granted'],
    ['each upload gets a public ID of its own', 'RANDOM_ID', 'created<=1'],
    ['stored is written before the store has answered', 'SETTLE_EARLY', '(state==2)&&(copy==1)'],
    ['a copy is believed without a proof', 'NO_PROOF', '(state==2)&&(copy==1)'],
    ['the lease of a dead claimant never ends', 'NO_EXPIRY', 'invalid end state'],
    ['nobody asks for a claim', 'NO_CLAIM', '(in_flight<=1)||excused'],
  ])('%s', async (_what, definition, violation) => {
    const report = await check(definition, 'CLAIMANTS=2', 'TRIES=1', definition);
    expect(report).toMatch(/errors: 1\b/);
    expect(report).toContain(violation);
  });
});
