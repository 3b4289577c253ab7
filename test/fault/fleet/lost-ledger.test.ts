import { request } from 'undici';
import { expect, test } from 'vitest';
import { putAssets } from '../../chaos/assets.ts';
import { startChaosOrigin } from '../../support/chaos-origin.ts';
import { startLazyferry } from '../../support/lazyferry-process.ts';
import { proxyConfig, temporaryFolder } from '../../support/proxy-config.ts';
import { startRecordingStore } from '../../support/recording-store.ts';
import { startRedis } from '../../support/redis-server.ts';

test('a flushed Redis costs one question for each asset asked for again, and no second asset', {
  timeout: 60_000,
}, async () => {
  await using origin = await startChaosOrigin();
  await using store = await startRecordingStore(temporaryFolder());
  const redis = await startRedis();
  const config = proxyConfig({
    store: { uploadPrefix: store.url, deliveryPrefix: store.url },
    // What memory knows would answer, and hide the loss.
    ledger: { url: redis.url, memory: 0 },
    mappings: [{ prefix: '/img/', origin: `${origin.url}/img/`, network: { allowPrivate: true } }],
  });
  await using proxy = await startLazyferry({
    args: ['--config', config],
    environment: { CLOUDINARY_URL: store.account },
  });
  const assets = putAssets(origin, 50);
  const askedUntilStored = async () => {
    for (const { path } of assets) {
      await expect
        .poll(
          async () => {
            const { statusCode, body } = await request(proxy.delivery + path);
            await body.dump();
            return statusCode;
          },
          { timeout: 10_000, interval: 20 },
        )
        .toBe(302);
    }
  };
  const answers = () => ({
    made: store.uploads.filter(({ answer }) => answer?.existing === false).length,
    found: store.uploads.filter(({ answer }) => answer?.existing === true).length,
  });

  await askedUntilStored();
  expect(answers()).toEqual({ made: 50, found: 0 });
  await redis.client.flushall();
  await askedUntilStored();
  expect(answers()).toEqual({ made: 50, found: 50 });
  await redis.stop();
});
