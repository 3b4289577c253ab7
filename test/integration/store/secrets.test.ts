import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type Step, startScriptedServer } from '../../support/scripted-server.ts';
import { apiKey, apiSecret, bytesUpload, driverFor, rejection, urlUpload } from './harness.ts';

const token = 'oauth-token-nobody-may-see';
const basic = btoa(`${apiKey}:${apiSecret}`);

/** What the store might send back of what we sent it. */
const echo: Step = (request) => ({
  status: 401,
  body: {
    error: {
      message: `Invalid Signature: ${request.headers.authorization} ${apiSecret} ${request.body.toString().slice(0, 4000)}`,
    },
  },
});
const echoes: readonly Step[] = [
  echo,
  (request) => ({
    status: 400,
    headers: { 'x-cld-error': String(request.headers.authorization ?? apiSecret) },
    body: '',
  }),
  { raw: (request) => request.socket.resetAndDestroy() },
  { raw: () => {} },
  { body: '<html>' },
];

describe('no failure tells a secret', () => {
  it('neither in its message nor anywhere behind it', async () => {
    const sources = [
      urlUpload({
        source: { kind: 'remote-url', url: 'https://user:url-password@origin.test/a.jpg?X-Amz-Signature=sig' },
      }),
      bytesUpload(Buffer.from('abc'), {}),
    ];
    const identity = { publicId: 'a', resourceType: 'image', deliveryType: 'private' } as const;
    for (const step of echoes) {
      const server = await startScriptedServer([step]);
      for (const [authentication, url] of [
        ['signature', `cloudinary://${apiKey}:${apiSecret}@demo`],
        ['basic', `cloudinary://${apiKey}:${apiSecret}@demo`],
        ['bearer', `cloudinary://${apiKey}:${apiSecret}@demo?oauth_token=${token}`],
      ] as const) {
        const store = driverFor(server, { url, authentication, timeoutMs: 40 });
        const failures = [
          ...(await Promise.all(sources.map((request) => rejection(store.upload(request))))),
          await rejection(store.describe(identity)),
          await rejection(store.remove(identity)),
          await rejection(store.ping()),
        ];
        for (const failure of failures) {
          const told = `${inspect(failure, { depth: Number.POSITIVE_INFINITY, showHidden: true })}${JSON.stringify(failure)}`;
          for (const secret of [apiSecret, token, basic, 'url-password', 'X-Amz-Signature'])
            expect(told).not.toContain(secret);
        }
      }
    }
  });
});
