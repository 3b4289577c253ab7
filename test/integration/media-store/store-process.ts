// A store in a process of its own, for tests that kill it: `node store-process.ts DIRECTORY`. Prints its URL.
import { createMediaStore } from '../../../src/media-store/media-store.ts';

const store = await createMediaStore({
  dir: process.argv[2] ?? '',
  cloudName: 'demo',
  apiKey: '123456789012345',
  apiSecret: 'embedded-secret',
  allowPrivateOrigins: true,
});
await store.listen({ host: '127.0.0.1', port: 0 });
console.log(store.url);
