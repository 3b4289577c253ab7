import { expect, test } from 'vitest';
import { startLazyferry } from '../support/lazyferry-process.ts';
import { proxyConfig } from '../support/proxy-config.ts';
import differences from './expected-differences.json' with { type: 'json' };
import { startSuiteOrigin } from './http-cache-tests-run.ts';

test('cold answers come out of http-cache-tests as written, test by test', async () => {
  await using origin = await startSuiteOrigin();
  const mapping = {
    prefix: '/test/',
    origin: `${origin.url}/test/`,
    query: 'key',
    network: { allowPrivate: true },
    // The suite's paths have no extension, so nothing is stored: a copy would be made at a moment of its own, and reads
    // the origin by itself.
    allow: { extensions: ['jpg'] },
  } as const;
  await using proxy = await startLazyferry({ args: ['--config', proxyConfig({ mappings: [mapping] })] });

  const findings = await origin.run(proxy.delivery);

  const met = findings.filter(({ outcome }) => outcome === 'pass' || outcome === 'yes');
  const unmet = findings.filter((finding) => !met.includes(finding));
  const expected = differences.flatMap(({ outcome, tests }) => tests.map((id) => [id, outcome] as const));
  const found = Object.fromEntries(unmet.map(({ id, outcome }) => [id, outcome]));
  const unexpected = unmet.filter(({ id, outcome }) => !expected.some(([known, as]) => known === id && as === outcome));
  expect(found, JSON.stringify(unexpected, null, 2)).toEqual(Object.fromEntries(expected));
  expect(met.length).toBeGreaterThan(90);
}, 60_000);

test('no test is on the list twice, and each demand that fails has a reason of its own', () => {
  const ids = differences.flatMap(({ tests }) => tests);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { outcome, tests } of differences) if (outcome === 'fail') expect(tests).toHaveLength(1);
});
