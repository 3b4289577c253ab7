import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMediaStore } from '../../src/media-store/media-store.ts';
import { createCloudinaryStore } from '../../src/store/cloudinary/cloudinary-store.ts';
import { describeAssetStore } from './asset-store.contract.ts';

describeAssetStore('Cloudinary driver on the embedded store', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'lazyferry-contract-'));
  const embedded = await createMediaStore({
    dir,
    cloudName: 'demo',
    apiKey: '1',
    apiSecret: 'secret',
    allowPrivateOrigins: true,
  });
  await embedded.listen({ host: '127.0.0.1', port: 0 });

  const files = new Map<string, Buffer>();
  const origin = createServer((request, response) => {
    const content = files.get(request.url ?? '');
    response.writeHead(content === undefined ? 404 : 200).end(content);
  });
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
  const originUrl = `http://127.0.0.1:${(origin.address() as AddressInfo).port}`;

  const chunkBytes = 5 * 1024 * 1024 + 1;
  const store = createCloudinaryStore({
    url: 'cloudinary://1:secret@demo',
    uploadPrefix: embedded.url,
    deliveryPrefix: embedded.url,
    chunkBytes,
  });
  return {
    store,
    chunkBytes,
    missingUrl: `${originUrl}/missing.png`,
    serve(name, content) {
      files.set(`/${name}`, content);
      return `${originUrl}/${name}`;
    },
    async close() {
      await store.close();
      await embedded.close();
      origin.closeAllConnections();
      await new Promise((resolve) => origin.close(resolve));
      await rm(dir, { recursive: true, force: true });
    },
  };
});
