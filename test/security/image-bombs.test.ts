import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { countBadInputs } from '../support/bad-inputs.ts';
import { type Canary, inParallel, startCanary } from '../support/canary.ts';
import { eventLoopLag } from '../support/event-loop.ts';
import { childrenOf, peakBytes } from '../support/proc.ts';
import { getRaw, type RawAnswer } from '../support/raw-http.ts';
import { type ImageBomb, imageBombs } from './image-bombs.ts';

/** What proxy and embedded store, one process, may need at their peak above what they need at rest. */
const proxyBytes = 60e6;
/** What one of the store's decoders may need: twice what V8 and the largest picture may have. */
const decoderBytes = 900e6;
/** Longest stand-still of the event loop. */
const boundLagSeconds = 1;
const derivedForms = ['w_50,c_scale', 'f_png', 'f_auto'];

let canary: Canary;

beforeAll(async () => {
  canary = await startCanary([{ prefix: '/bombs/', allow: { types: ['image/*', 'video/*', 'application/pdf'] } }]);
});
afterAll(() => canary?.[Symbol.asyncDispose]());

function bodyOf({ text }: RawAnswer): Buffer {
  return Buffer.from(text.slice(text.indexOf('\r\n\r\n') + 4), 'latin1');
}

/** What became of each attempt to store the path. */
function outcomesOf(path: string) {
  return canary.proxy.logs.filter(
    ({ event, asset }) =>
      /^(?:not-)?stored$/.test(event ?? '') && (asset as { path?: string } | undefined)?.path === path,
  );
}

/** Asks three times around the attempt to store it; resolves with the copy's URL, where there is one. */
async function ask({ name, type, body }: ImageBomb, path: string): Promise<string | undefined> {
  const { proxy, origin } = canary;
  origin.put(`/base/${path}`, body, { type });
  const answers = [await getRaw(proxy.delivery, `/bombs/${path}`)];
  const outcome = await proxy.logged((line) => outcomesOf(path).includes(line));
  answers.push(await getRaw(proxy.delivery, `/bombs/${path}`), await getRaw(proxy.delivery, `/bombs/${path}`));
  const whole = answers.filter(({ status }) => status === 200);
  for (const answer of whole) expect(bodyOf(answer).equals(body), name).toBe(true);
  expect(whole, name).toHaveLength(outcome.event === 'stored' ? 1 : 3);
  if (outcome.event === 'not-stored') expect(outcome.reason, name).toMatch(/^(?:store-rejected|wrong-type|too-large)$/);
  return answers[2]?.headers.location;
}

async function drawForms(copy: string, { name }: ImageBomb): Promise<void> {
  for (const form of derivedForms) {
    const answer = await fetch(copy.replace('/upload/', `/upload/${form}/`));
    // What a mapping asks for by itself breaks no picture that is stored.
    expect(form === 'f_auto' ? [200] : [200, 400], `${form} of ${name}`).toContain(answer.status);
    expect(answer.headers.get('x-cld-error') ?? '', 'a message names no file of ours').not.toContain('/blobs/');
  }
}

test('image bombs reach the client as the origin sent them, and neither proxy nor store goes off', {
  timeout: 240_000,
}, async (context) => {
  const { proxy } = canary;
  const bombs = await imageBombs(canary.stranger);
  await getRaw(proxy.delivery, '/bombs/nothing.jpg');
  const before = peakBytes(proxy.pid);
  await eventLoopLag(proxy.admin);
  let stored = 0;
  let decoders = 0;
  await inParallel(
    [...bombs.entries()],
    async ([index, bomb]) => {
      const copy = await ask(bomb, `bomb-${index}`);
      if (copy !== undefined) {
        stored += 1;
        await drawForms(copy, bomb);
      }
      for (const decoder of childrenOf(proxy.pid)) {
        decoders += 1;
        expect(peakBytes(decoder), bomb.name).toBeLessThan(decoderBytes);
      }
    },
    4,
  );
  expect((await eventLoopLag(proxy.admin)).longest, 'seconds').toBeLessThan(boundLagSeconds);
  expect(peakBytes(proxy.pid) - before).toBeLessThan(proxyBytes);
  expect(readFileSync(`/proc/${proxy.pid}/maps`, 'utf8'), 'no decoder is in the proxy').not.toContain('libvips');
  expect(decoders, 'they are beside it').toBeGreaterThan(0);
  expect(canary.strangerConnections).toBe(0);
  expect(stored, 'some are good enough to be stored').toBeGreaterThan(8);
  expect(bombs.length - stored, 'some are refused').toBeGreaterThan(8);
  for (const index of bombs.keys()) expect(outcomesOf(`bomb-${index}`), 'tried once').toHaveLength(1);
  countBadInputs(context, bombs.length);
});
