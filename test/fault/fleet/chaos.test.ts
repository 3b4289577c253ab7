import { expect, test } from 'vitest';
import { chaos } from '../../chaos/chaos.ts';
import { describeReport, expectUnharmed } from '../../chaos/verdict.ts';

test('a fleet of four keeps its promises while processes, Redis and the store fail (short form of npm run test:chaos)', {
  timeout: 240_000,
}, async () => {
  const report = await chaos({ ground: 'redis', assets: 300, seconds: 20 });
  process.stdout.write(`${describeReport('redis', report)}\n`);
  expectUnharmed(report);
  expect(Object.keys(report.disasters).length).toBeGreaterThanOrEqual(5);
});
