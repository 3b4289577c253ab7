import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import type { MediaStore } from '../../../src/media-store/media-store.ts';
import { runCommand } from '../../support/command.ts';
import { post, signed, temporaryDirectory } from './harness.ts';

const MiB = 2 ** 20;
const chunk = new File([Buffer.alloc(100 * MiB)], 'blob');
// Twelve chunks show what fifty do, in a tenth of the time; `LAZYFERRY_SOAK=1` sends the whole 5 GB.
const chunks = process.env.LAZYFERRY_SOAK === '1' ? 52 : 12;
const total = chunks * chunk.size;

/** Bytes of memory that the process holds. */
async function memoryOf({ pid }: ChildProcess): Promise<number> {
  const { stdout } = await runCommand('ps', ['-o', 'rss=', '-p', String(pid)]);
  return Number(stdout.toString()) * 1024;
}

test('a sparse file of gigabytes arrives in chunks while the memory of the store stays flat', {
  timeout: 300_000,
}, async () => {
  const dir = await temporaryDirectory();
  const child = spawn(process.execPath, [join(import.meta.dirname, 'fixtures/store-process.ts'), dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [url] = await once(createInterface({ input: child.stdout }), 'line');

  const memory: number[] = [];
  let answer: Awaited<ReturnType<typeof post>> | undefined;
  for (let start = 0; start < total; start += chunk.size) {
    const headers = {
      'x-unique-upload-id': 'large',
      'content-range': `bytes ${start}-${start + chunk.size - 1}/${total}`,
    };
    answer = await post({ url } as MediaStore, '/raw/upload', signed({ file: chunk, public_id: 'large.bin' }), headers);
    memory.push(await memoryOf(child));
  }
  const whole = createHash('md5');
  for (let n = 0; n < chunks; n += 1) whole.update(Buffer.alloc(chunk.size));
  expect(answer?.body).toMatchObject({ done: true, bytes: total, etag: whole.digest('hex') });
  const [early = 0] = memory.slice(4);
  expect(Math.max(...memory) - early).toBeLessThan(150 * MiB);
});
