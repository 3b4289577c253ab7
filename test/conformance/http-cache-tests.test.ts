import { expect, test } from 'vitest';
import { startLazyferry } from '../support/lazyferry-process.ts';
import { proxyConfig } from '../support/proxy-config.ts';
import differences from './expected-differences.json' with { type: 'json' };
import { startSuiteOrigin } from './http-cache-tests-run.ts';
import { expectAsWritten } from './written-differences.ts';

test('cold answers come out of http-cache-tests as written, test by test', async () => {
  await using origin = await startSuiteOrigin();
  const mapping = {
    prefix: '/test/',
    origin: `${origin.url}/test/`,
    query: 'key',
    network: { allowPrivate: true },
    // The suite's paths end otherwise, so nothing is stored: a copy would be made at a moment of its own, and reads the
    // origin by itself.
    allow: { extensions: ['jpg'] },
  } as const;
  await using proxy = await startLazyferry({ args: ['--config', proxyConfig({ mappings: [mapping] })] });

  const findings = await origin.run(proxy.delivery);

  expectAsWritten(findings, differences);
  expect(findings.length - differences.flatMap(({ tests }) => tests).length).toBeGreaterThan(90);
}, 120_000);

test('each demand that cold answers fail has a reason of its own', () => {
  for (const { outcome, tests } of differences) if (outcome === 'fail') expect(tests).toHaveLength(1);
});
