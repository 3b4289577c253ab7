import { errors } from 'undici';
import { describe, expect, it } from 'vitest';
import { networkFailure } from '../../../src/store/cloudinary/network-failure.ts';

function coded(code: string): Error {
  return Object.assign(new Error(`${code} at 10.0.0.1`), { code });
}

describe('trouble on the way to the store', () => {
  it.each([
    [coded('ECONNRESET'), 'reset', true],
    [coded('EPIPE'), 'closed', true],
    [new errors.SocketError('other side closed'), 'closed', true],
    [coded('ECONNREFUSED'), 'refuses', false],
    [coded('ENOTFOUND'), 'host name', false],
    [coded('EAI_AGAIN'), 'host name', false],
    [new errors.ConnectTimeoutError('late'), 'in time', false],
    [coded('DEPTH_ZERO_SELF_SIGNED_CERT'), 'TLS', false],
    [coded('ERR_TLS_CERT_ALTNAME_INVALID'), 'TLS', false],
    [coded('EWHATEVER'), 'EWHATEVER', false],
    [new Error('nothing known'), 'unknown error', false],
    ['not even an error', 'unknown error', false],
    [new AggregateError([new Error('first'), coded('ECONNREFUSED')]), 'refuses', false],
  ])('%s', (error, words, broken) => {
    const found = networkFailure(error);
    expect(found.failure).toMatchObject({ reason: 'store-unreachable', message: expect.stringContaining(words) });
    expect(found.failure.cause).toBe(error);
    // Only a connection that broke under a request is worth another one at once.
    expect(found.broken).toBe(broken);
  });
});
