/**
 * `npm run test:soak -- --minutes 10`: traffic of every kind for so long; memory and descriptors of the proxy are
 * printed once a round and must be flat. The short form is `test/security/load.test.ts`.
 */
import { parseArgs } from 'node:util';
import { Load, type Reading } from './load.ts';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '5' } } });
const end = Date.now() + Number(values.minutes) * 60_000;

/** Rounds before the first reading counts: caches fill, code is compiled. */
const warmUp = 5;
const allowedGrowth = 1.3;
const allowedDescriptors = 50;

const readings: Reading[] = [];
{
  await using load = await Load.start();
  while (Date.now() < end || readings.length < warmUp * 2) {
    await load.round();
    const reading = load.read();
    readings.push(reading);
    console.log(`round ${readings.length}: ${Math.round(reading.rss / 1e6)} MB, ${reading.descriptors} descriptors`);
  }
}

const steady = readings.slice(warmUp);
const half = Math.floor(steady.length / 2);
const median = (part: readonly Reading[], field: keyof Reading): number =>
  part.map((reading) => reading[field]).sort((one, other) => one - other)[Math.floor(part.length / 2)] ?? 0;
const growth = median(steady.slice(half), 'rss') / median(steady.slice(0, half), 'rss');
const more = median(steady.slice(half), 'descriptors') - median(steady.slice(0, half), 'descriptors');
console.log(`memory of the second half is ${growth.toFixed(2)} times the first's; descriptors changed by ${more}`);
if (growth > allowedGrowth || more > allowedDescriptors) process.exitCode = 1;
