import { afterAll, beforeAll, expect, test } from 'vitest';
import { countBadInputs } from '../support/bad-inputs.ts';
import { type Canary, startCanary } from '../support/canary.ts';
import { eventLoopLag } from '../support/event-loop.ts';
import { getRaw } from '../support/raw-http.ts';

let canary: Canary;

beforeAll(async () => {
  canary = await startCanary(
    Array.from({ length: 20 }, (_, index) => ({ prefix: `/part-${index}/`, folder: `site/part_${index}` })),
  );
});

afterAll(async () => {
  await canary?.[Symbol.asyncDispose]();
});

/** Delivery URLs as long as they may be, of as many parts as fit that could each be a transformation or a folder. */
const chains = ['a_/', 'a_%2561/', 'a_%C3%A9/', 'a_%25%32%35/', '$a_/', 'w_1,h_1/', '/', 's/'].flatMap((part) =>
  ['/local/image/upload/', '/image/upload/', '/local/image/upload/s--aaaaaaaa--/', '/nobody/video/private/'].map(
    (head) => `${head}${part.repeat(Math.floor((8_190 - head.length) / part.length))}x`,
  ),
);

test('a delivery URL of thousands of parts costs the process no more time than another, whatever the number of mappings', async (context) => {
  const { delivery, admin } = canary.proxy;
  await eventLoopLag(admin);
  for (const target of chains) expect([400, 404]).toContain((await getRaw(delivery, target)).status);
  expect((await eventLoopLag(admin)).p99, 'seconds').toBeLessThan(0.25);
  expect(canary.origin.requests).toEqual([]);
  countBadInputs(context, chains.length);
});
