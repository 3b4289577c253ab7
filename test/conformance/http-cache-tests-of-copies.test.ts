import { expect, test } from 'vitest';
import { settled } from '../integration/first-request/scene.ts';
import { startLazyferry } from '../support/lazyferry-process.ts';
import { proxyConfig } from '../support/proxy-config.ts';
import differences from './expected-differences-of-copies.json' with { type: 'json' };
import { startSuiteOrigin } from './http-cache-tests-run.ts';
import { expectAsWritten } from './written-differences.ts';

test('streamed copies come out of http-cache-tests as written, test by test', async () => {
  await using origin = await startSuiteOrigin();
  const mapping = {
    prefix: '/test/',
    origin: `${origin.url}/test/`,
    query: 'key',
    network: { allowPrivate: true },
    allow: { types: ['text/plain'] },
    // The client's own read of the origin is the upload's too.
    upload: { via: 'bytes' },
    warm: 'stream',
  } as const;
  await using proxy = await startLazyferry({ args: ['--config', proxyConfig({ mappings: [mapping] })] });

  const findings = await origin.run(proxy.delivery, (path) => settled(proxy, path));

  expectAsWritten(findings, differences);
  expect(findings.length - differences.flatMap(({ tests }) => tests).length).toBeGreaterThan(100);
  // Answers that a copy was made of and that are found again, among them those with a range or on a condition.
  const met = findings.filter(({ outcome }) => outcome === 'pass').map(({ id }) => id);
  expect(met).toEqual(
    expect.arrayContaining(['conditional-304-etag', 'conditional-lm-fresh', 'partial-store-complete-reuse-partial']),
  );
  // Answers that nobody may keep.
  expect(met).toEqual(
    expect.arrayContaining(['cc-resp-private-shared', 'cc-resp-no-store', 'vary-star', 'vary-syntax-star-foo']),
  );
}, 120_000);
