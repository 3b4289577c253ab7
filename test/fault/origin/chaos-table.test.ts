import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  change,
  fetchOnce,
  photo,
  type Received,
  recordOf,
  type Scene,
  settled,
  startScene,
} from '../../integration/first-request/scene.ts';
import { temporaryDirectory } from '../../integration/first-request/temporary-directory.ts';
import type { Behaviour } from '../../support/chaos-behaviour.ts';

/**
 * What a client of the whole object may get: all of it, a cut connection, the error with this status; what the origin
 * sends in place of it; or, where nothing marks the end, bytes that no cache may keep.
 */
type Given = 'whole' | 'cut' | 'as it is' | 'unproven' | number;

interface Case {
  readonly behaviour: Behaviour | undefined;
  readonly whole: Given;
  /** 'stored', or the reason that is recorded. */
  readonly outcome: string;
}

const cases: Readonly<Record<string, Case>> = {
  'serves well': { behaviour: undefined, whole: 'whole', outcome: 'stored' },
  'has no such object': { behaviour: { kind: 'status', status: 404 }, whole: 404, outcome: 'origin-not-found' },
  'says that it is gone': { behaviour: { kind: 'status', status: 410 }, whole: 410, outcome: 'origin-gone' },
  'wants a password': { behaviour: { kind: 'status', status: 401 }, whole: 401, outcome: 'origin-denied' },
  'forbids it': { behaviour: { kind: 'status', status: 403 }, whole: 403, outcome: 'origin-denied' },
  'is broken': { behaviour: { kind: 'status', status: 500 }, whole: 500, outcome: 'origin-error' },
  'is overloaded': {
    behaviour: { kind: 'status', status: 503, headers: { 'retry-after': '7' } },
    whole: 503,
    outcome: 'origin-error',
  },
  'answers HEAD with 405': { behaviour: { kind: 'no-head', status: 405 }, whole: 'whole', outcome: 'stored' },
  'answers HEAD with 404': { behaviour: { kind: 'no-head', status: 404 }, whole: 'whole', outcome: 'stored' },
  'takes the request and never answers': { behaviour: { kind: 'silent' }, whole: 504, outcome: 'origin-timeout' },
  'stalls in mid-body': { behaviour: { kind: 'stall', after: 9_000 }, whole: 'cut', outcome: 'origin-timeout' },
  'is slow': { behaviour: { kind: 'drip', bytes: 8_192, everyMs: 5 }, whole: 'whole', outcome: 'stored' },
  'ends too early for its length': {
    behaviour: { kind: 'truncate', after: 9_000, framing: 'length' },
    whole: 'cut',
    outcome: 'origin-truncated',
  },
  'ends before the last chunk': {
    behaviour: { kind: 'truncate', after: 9_000, framing: 'chunked' },
    whole: 'cut',
    outcome: 'origin-truncated',
  },
  'resets the connection before the head': {
    behaviour: { kind: 'reset', after: 'head' },
    whole: 502,
    outcome: 'origin-error',
  },
  'resets the connection in mid-body': {
    behaviour: { kind: 'reset', after: 9_000 },
    whole: 'cut',
    outcome: 'origin-truncated',
  },
  'states more bytes than it has': {
    behaviour: { kind: 'state-length', length: photo.length + 500 },
    whole: 'cut',
    outcome: 'origin-truncated',
  },
  'states fewer bytes than it sends': {
    behaviour: { kind: 'state-length', length: 9_000 },
    whole: 'cut',
    outcome: 'origin-error',
  },
  'redirects in a loop': {
    behaviour: { kind: 'redirect', to: '/self' },
    whole: 502,
    outcome: 'origin-error',
  },
  'redirects to a host that is not allowed': {
    behaviour: { kind: 'redirect', to: 'http://169.254.169.254/latest/meta-data/' },
    whole: 502,
    outcome: 'origin-blocked',
  },
  'sends in chunks, without a length': { behaviour: { kind: 'chunked' }, whole: 'whole', outcome: 'stored' },
  'breaks its chunks': {
    behaviour: { kind: 'broken-chunks', after: 9_000 },
    whole: 'cut',
    outcome: 'origin-truncated',
  },
  'frames the body in two ways': { behaviour: { kind: 'both-framings' }, whole: 502, outcome: 'origin-error' },
  'does not speak HTTP': {
    behaviour: { kind: 'raw', bytes: '220 smtp.example.com ESMTP\r\n' },
    whole: 502,
    outcome: 'origin-error',
  },
  'marks the end of the body by closing': {
    behaviour: { kind: 'close-delimited' },
    whole: 'unproven',
    outcome: 'origin-truncated',
  },
  'closes too early where closing marks the end': {
    behaviour: { kind: 'truncate', after: 9_000, framing: 'close' },
    whole: 'unproven',
    outcome: 'origin-truncated',
  },
  'compresses what was to be left alone': { behaviour: { kind: 'gzip' }, whole: 'as it is', outcome: 'wrong-type' },
  'sends an HTML page with status 200': { behaviour: { kind: 'soft-404' }, whole: 'as it is', outcome: 'wrong-type' },
  'calls the picture text': {
    behaviour: { kind: 'wrong-type', type: 'text/plain' },
    whole: 'whole',
    outcome: 'wrong-type',
  },
  'does not know the type': {
    behaviour: { kind: 'wrong-type', type: 'application/octet-stream' },
    whole: 'whole',
    outcome: 'stored',
  },
};
const names = Object.keys(cases);

let scene: Scene;
beforeAll(async () => {
  // Short enough to be waited out, long enough for a machine that is busy with other tests.
  const network = { headersTimeout: '2s', bodyTimeout: '2s' };
  scene = await startScene({
    storeDirectory: temporaryDirectory(),
    storeFetchTimeout: 2_000,
    mappings: [
      { prefix: '/bytes/', upload: { via: 'bytes' }, network },
      { prefix: '/remote-url/', upload: { via: 'remote-url' }, network },
    ],
  });
});
afterAll(() => scene?.[Symbol.asyncDispose]());

/** Puts the photo at the path and makes the origin misbehave there. */
function misbehave(path: string, behaviour: Behaviour | undefined): void {
  scene.origin.put(path, photo, { type: 'image/jpeg' });
  scene.origin.set(
    path,
    behaviour?.kind === 'redirect' && behaviour.to === '/self' ? { ...behaviour, to: path } : behaviour,
  );
}

function expectGiven({ status, headers, body, whole }: Received, given: Given, part: Buffer = photo): void {
  if (given === 'cut') {
    expect(whole).toBe(false);
    expect(photo.subarray(0, body.length).equals(body)).toBe(true);
  } else if (given === 'whole') {
    // An origin that does not know ranges answers with the whole object, which is as right.
    expect({ status, whole, bytes: body.length }).toEqual(
      status === 200 ? { status, whole: true, bytes: photo.length } : { status: 206, whole: true, bytes: part.length },
    );
    expect(body.equals(status === 200 ? photo : part)).toBe(true);
  } else if (given === 'unproven') {
    expect(headers).toMatchObject({ 'cache-control': 'no-store', connection: 'close' });
    expect(headers).not.toHaveProperty('transfer-encoding');
    expect(photo.subarray(0, body.length).equals(body)).toBe(true);
  } else if (given === 'as it is') {
    expect({ status, whole }).toEqual({ status: 200, whole: true });
    expect(headers['content-encoding'] ?? headers['content-type']).toMatch(/^(?:gzip|text\/html)/);
    if (headers['content-encoding'] === 'gzip') expect(gunzipSync(body).equals(photo)).toBe(true);
  } else {
    expect({ status, whole }).toEqual({ status: given, whole: true });
  }
}

describe.each(['bytes', 'remote-url'])('with the upload by %s', (via) => {
  const pathOf = (form: string, name: string) => `/${via}/${form}-${name.replaceAll(' ', '-').replaceAll(',', '')}.jpg`;

  /** The right reason is recorded, and the store holds the whole photo or nothing. */
  async function expectOutcome(path: string, outcome: string): Promise<void> {
    const { stored, reason } = await settled(scene.proxy, path);
    expect(stored ? 'stored' : reason).toBe(outcome);
    if (stored) await expectCopy(path);
    else expect(await recordOf(scene.proxy, path)).not.toHaveProperty('copy');
  }

  async function expectCopy(path: string): Promise<void> {
    const warm = await fetchOnce(scene.proxy.delivery + path);
    expect(warm.status).toBe(302);
    expect((await fetchOnce(String(warm.headers.location))).body.equals(photo)).toBe(true);
  }

  test.each(names)(
    'from an origin that %s a client of the whole object gets all, or an error, never a clean half',
    async (name) => {
      const { behaviour, whole, outcome } = cases[name] as Case;
      const path = pathOf('whole', name);
      misbehave(path, behaviour);
      expectGiven(await fetchOnce(scene.proxy.delivery + path), whole);
      await expectOutcome(path, outcome);
    },
  );

  test.each(names)('from an origin that %s a client of a range gets its part, or an error', async (name) => {
    const { behaviour, whole, outcome } = cases[name] as Case;
    const path = pathOf('range', name);
    misbehave(path, behaviour);
    const answer = await fetchOnce(scene.proxy.delivery + path, { headers: { range: 'bytes=20000-29999' } });
    expectGiven(answer, whole, photo.subarray(20_000, 30_000));
    await expectOutcome(path, outcome);
  });

  test.each(names)('from an origin that %s HEAD starts the copy, and alone makes nothing missing', async (name) => {
    const { behaviour, outcome } = cases[name] as Case;
    const path = pathOf('head', name);
    misbehave(path, behaviour);
    const { body } = await fetchOnce(scene.proxy.delivery + path, { method: 'HEAD' });
    expect(body.length).toBe(0);
    await expectOutcome(path, outcome);
  });

  test.each(names)('once the origin that %s is healthy again, a retry stores the whole', async (name) => {
    const path = pathOf('whole', name);
    scene.origin.set(path, undefined);
    if (cases[name]?.outcome !== 'stored') {
      expect(await change(scene.proxy, 'retry', { path, wait: true })).toMatchObject({ outcome: 'stored' });
    }
    await expectCopy(path);
  });
});
