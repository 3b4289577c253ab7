import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { countBadInputs } from '../support/bad-inputs.ts';
import { type Canary, startCanary } from '../support/canary.ts';
import { eventLoopLag } from '../support/event-loop.ts';
import { getRaw, type RawAnswer } from '../support/raw-http.ts';
import { type ImageBomb, imageBombs } from './image-bombs.ts';

/** What proxy and embedded store, one process here, may need at their peak above what they need at rest. */
const boundMegabytes = 300;
/** Longest stand-still of the event loop. */
const boundLagSeconds = 1;
const derivedForms = ['w_50,c_scale', 'f_png', 'f_auto'];

let canary: Canary;

beforeAll(async () => {
  canary = await startCanary([{ prefix: '/bombs/', allow: { types: ['image/*', 'video/*', 'application/pdf'] } }]);
});
afterAll(() => canary?.[Symbol.asyncDispose]());

/** Resident memory of the process at its highest, in megabytes. */
function peak(): number {
  const status = readFileSync(`/proc/${canary.proxy.pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) / 1000;
}

async function longestLag(): Promise<number> {
  return (await eventLoopLag(canary.proxy.admin)).longest;
}

function bodyOf({ text }: RawAnswer): Buffer {
  return Buffer.from(text.slice(text.indexOf('\r\n\r\n') + 4), 'latin1');
}

/** Asks three times around the attempt to store it; resolves with the copy's URL, where there is one. */
async function ask({ name, type, body }: ImageBomb, path: string): Promise<string | undefined> {
  const { proxy, origin } = canary;
  origin.put(`/base/${path}`, body, { type });
  const answers = [await getRaw(proxy.delivery, `/bombs/${path}`)];
  const outcomes = () =>
    proxy.logs.filter(
      ({ event, asset }) =>
        /^(?:not-)?stored$/.test(event ?? '') && (asset as { path?: string } | undefined)?.path === path,
    );
  const outcome = await proxy.logged((line) => outcomes().includes(line));
  answers.push(await getRaw(proxy.delivery, `/bombs/${path}`), await getRaw(proxy.delivery, `/bombs/${path}`));
  expect(outcomes(), `${name} is tried once`).toHaveLength(1);
  const whole = answers.filter(({ status }) => status === 200);
  for (const answer of whole) expect(bodyOf(answer).equals(body), name).toBe(true);
  expect(whole, name).toHaveLength(outcome.event === 'stored' ? 1 : 3);
  return answers[2]?.headers.location;
}

test('image bombs reach the client as the origin sent them, and neither proxy nor store goes off', {
  timeout: 120_000,
}, async (context) => {
  const bombs = imageBombs(canary.stranger);
  await getRaw(canary.proxy.delivery, '/bombs/nothing.jpg');
  const before = peak();
  let stored = 0;
  for (const [index, bomb] of bombs.entries()) {
    const copy = await ask(bomb, `bomb-${index}`);
    expect(await longestLag(), bomb.name).toBeLessThan(boundLagSeconds);
    if (copy === undefined) continue;
    stored += 1;
    for (const form of derivedForms) {
      const { status } = await fetch(copy.replace('/upload/', `/upload/${form}/`), { headers: { accept: '*/*' } });
      expect([200, 400], `${form} of ${bomb.name}`).toContain(status);
    }
    expect(await longestLag(), bomb.name).toBeLessThan(boundLagSeconds);
  }
  expect(canary.strangerConnections).toBe(0);
  expect(stored, 'some are good enough to be stored').toBeGreaterThan(3);
  expect(bombs.length - stored, 'some are refused').toBeGreaterThan(8);
  expect(peak() - before, 'megabytes').toBeLessThan(boundMegabytes);
  countBadInputs(context, bombs.length);
});
