import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import type { MediaStore } from '../../../src/media-store/media-store.ts';
import { admin, startStore, temporaryDirectory, upload } from './harness.ts';

async function startProcess(dir: string): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'fixtures/store-process.ts'), dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [url] = await once(createInterface({ input: child.stdout }), 'line');
  return { child, url };
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  if (child.signalCode === null) await once(child, 'exit');
}

async function blobs(dir: string): Promise<string[]> {
  const names = await readdir(join(dir, 'blobs'), { recursive: true });
  return names.flatMap((name) => /[0-9a-f]{64}$/.exec(name)?.[0] ?? []).sort();
}

test('a store killed in mid-upload has stored nothing, and the same upload succeeds after the restart', async () => {
  const dir = await temporaryDirectory();
  const { child, url } = await startProcess(dir);
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => {});
  socket.write(
    'POST /v1_1/demo/raw/upload HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 50000000\r\n\r\n' +
      `--b\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n${'x'.repeat(1_000_000)}`,
  );
  await expect.poll(() => readdir(join(dir, 'staging'))).toHaveLength(1);
  await kill(child);
  socket.destroy();

  const store = await startStore({ dir });
  expect(await readdir(join(dir, 'staging'))).toEqual([]);
  expect(await blobs(dir)).toEqual([]);
  const { body } = await upload(store, { file: new File(['whole'], 'a.bin'), public_id: 'a.bin' }, '/raw/upload');
  expect(await (await fetch(body.url)).text()).toBe('whole');
});

test('whenever a busy store is killed, what it acknowledged is there and whole, and there is nothing else', async () => {
  const dir = await temporaryDirectory();
  const acknowledged = new Map<string, string>();
  for (const uploadsBeforeKill of [1, 7, 23]) {
    const { child, url } = await startProcess(dir);
    let count = 0;
    const work = async (worker: number): Promise<void> => {
      for (let n = 0; ; n += 1) {
        const bytes = randomBytes(20_000);
        const publicId = `w${worker}/${uploadsBeforeKill}-${n}.bin`;
        const form = { file: new File([bytes], 'a.bin'), public_id: publicId };
        const answer = await upload({ url } as MediaStore, form, '/raw/upload').catch(() => undefined);
        if (answer === undefined) return;
        acknowledged.set(publicId, createHash('md5').update(bytes).digest('hex'));
        count += 1;
        if (count === uploadsBeforeKill) void kill(child);
      }
    };
    await Promise.all([0, 1, 2, 3, 4, 5].map(work));
  }

  const store = await startStore({ dir });
  const listed = await admin(store, 'GET', '/resources/raw/upload?max_results=500');
  const stored = new Map<string, string>(
    listed.body.resources.map((resource: { public_id: string; etag: string }) => [resource.public_id, resource.etag]),
  );
  expect(acknowledged.size).toBeGreaterThanOrEqual(31);
  for (const [publicId, md5] of acknowledged) expect(stored.get(publicId)).toBe(md5);
  for (const resource of listed.body.resources) {
    const bytes = Buffer.from(await (await fetch(resource.url)).arrayBuffer());
    expect(createHash('md5').update(bytes).digest('hex')).toBe(resource.etag);
  }
  expect(await blobs(dir)).toHaveLength(stored.size);
  expect(await readdir(join(dir, 'staging'))).toEqual([]);
});
