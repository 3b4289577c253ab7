import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseTarget } from '../../src/delivery/path.ts';
import { countBadInputs } from '../support/bad-inputs.ts';
import { type Canary, inParallel, startCanary } from '../support/canary.ts';
import { getRaw } from '../support/raw-http.ts';

const png = readFileSync(new URL('../../sample/media/twins/a.png', import.meta.url));

/** File names that stores, file systems, shells, signatures or people take for something else. */
const names: readonly string[] = [
  // What Cloudinary forbids in a public ID, and our own mark.
  ...['a?b', 'a#b', 'a%b', 'a<b>', 'a&b', 'a+b', 'a~b', 'a~2Fb', 'a~e', '~', '~~', '~h', '~q', 'a~qb'],
  // Parameters of an upload, of its signature and of its envelope.
  ...['a&overwrite=true', 'x&type=private&y=', 'a=b', 'a&signature=0', '&', '=', 'a|b=c', 'a,b', 'a;b', "a' OR 1=1--"],
  ...['a"; filename="b', 'a"\u2028b', '$' + '{jndi:x}', '{{7*7}}', '$(id)', '`id`', '<svg onload=alert(1)>'],
  // Pairs that case, composition, an extension or an escape could make one.
  ...['Twin', 'twin', 'TWIN', 'twin_png', 'twin.png', 'twin.jpg', 'twin_', 'twin ', ' twin', 'twin~20', 'twin%20'],
  ...['caf\u00e9', 'cafe\u0301', '\u212b', '\u00c5', 'A\u030a', '\u00df', 'ss', '\u0130', 'i\u0307', '\ufb01', 'fi'],
  // Names of devices, options, hidden files, versions and nothing.
  ...['con', 'nul', 'aux.txt', 'COM1', '...', '.hidden', '.png', '-rf', '--help', 'v12', 'v1', '_', 'a.', 'a..b', ' '],
  // Directions, widths and lengths.
  ...['\u202egnp.a', '\u200b', '\ufeffa', 'a\u00ad', '\u{1f4a9}', '\u{1f469}\u200d\u{1f467}', '\ufdfa'],
  ...['a\u0300'.repeat(30), 'x'.repeat(250), `${'x'.repeat(250)}y`, 'y'.repeat(2_000), '\u5c71'.repeat(300)],
];

let canary: Canary;

beforeAll(async () => {
  canary = await startCanary([{ prefix: '/names/', folder: 'site/names' }]);
});
afterAll(() => canary?.[Symbol.asyncDispose]());

/** As the proxy asks the origin for it. */
function pathOf(target: string): string {
  const parsed = parseTarget(`/${target}`);
  if (!parsed.ok) throw new Error(`${target}: ${parsed.problem}`);
  return parsed.path.slice(1);
}

/** A picture like no other: a number stands behind its end. */
function pictureOf(index: number): Buffer {
  return Buffer.concat([png, Buffer.from(`picture ${index}`)]);
}

test('each of many hostile file names has a copy of its own, with its own bytes, in its mapping’s folder', {
  timeout: 90_000,
}, async (context) => {
  const { proxy, origin } = canary;
  const targets = [...new Set(names.flatMap((name) => [name, `${name}.png`]))].map(encodeURIComponent);
  for (const [index, target] of targets.entries()) {
    origin.put(`/base/${pathOf(target)}`, pictureOf(index), { type: 'image/png' });
  }
  const publicIds = new Set<unknown>();
  await inParallel([...targets.entries()], async ([index, target]) => {
    expect((await getRaw(proxy.delivery, `/names/${target}`)).status, target).toBe(200);
    const { event, publicId } = await proxy.logged(
      ({ event: name, asset }) =>
        (name === 'stored' || name === 'not-stored') && (asset as { path?: string }).path === pathOf(target),
    );
    expect(event, target).toBe('stored');
    expect(publicId).toMatch(/^site\/names\/[^/?#&\\<>%+]+$/);
    publicIds.add(publicId);
    const copy = (await getRaw(proxy.delivery, `/names/${target}`)).headers.location ?? '';
    const bytes = Buffer.from(await (await fetch(copy)).arrayBuffer());
    expect(bytes.equals(pictureOf(index)), `${target} → ${copy}`).toBe(true);
  });
  expect(publicIds.size).toBe(targets.length);
  countBadInputs(context, targets.length);
});
