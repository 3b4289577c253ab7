import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { startScriptedServer } from '../../support/scripted-server.ts';
import { driverFor, noLimits, result, urlUpload } from './harness.ts';

const gigabyte = 1_000_000_000;

it('a file of five gigabytes goes up in chunks, with the memory of one chunk', async () => {
  const size = 5 * gigabyte;
  const ranges: string[] = [];
  let received = 0;
  const server = await startScriptedServer([
    noLimits,
    {
      raw: (request, response) => {
        const range = request.headers['content-range'] ?? '';
        ranges.push(range);
        request.on('data', (piece: Buffer) => {
          received += piece.length;
        });
        request.on('end', () => {
          const isLast = range.startsWith(`bytes 4980000000-`);
          response.end(JSON.stringify(isLast ? result({ bytes: size, done: true }).body : { done: false }));
        });
      },
    },
  ]);
  const piece = Buffer.alloc(1_000_000);
  let read = 0;
  let furthestAhead = 0;
  const source = new Readable({
    highWaterMark: 1,
    read() {
      this.push(read < size ? piece : null);
      read += piece.length;
      furthestAhead = Math.max(furthestAhead, read - received);
    },
  });
  const stored = await driverFor(server).upload(
    urlUpload({ source: { kind: 'bytes', filename: 'film.mp4', length: size, open: () => source } }),
  );
  expect(stored.bytes).toBe(size);
  expect(ranges).toHaveLength(250);
  expect(ranges.at(-1)).toBe(`bytes 4980000000-4999999999/${size}`);
  expect(received).toBeGreaterThan(size);
  // Read from the origin and not yet at the store: one chunk, and a few pieces on their way.
  expect(furthestAhead).toBeLessThan(25_000_000);
}, 120_000);
