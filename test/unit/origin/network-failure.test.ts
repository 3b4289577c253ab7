import { errors } from 'undici';
import { describe, expect, test } from 'vitest';
import { AssetFailure } from '../../../src/asset/failure.ts';
import { AddressBlocked } from '../../../src/origin/guarded-dispatcher.ts';
import { bodyFailure, exchangeFailure } from '../../../src/origin/http/network-failure.ts';

const coded = (code: string) => Object.assign(new Error('low-level'), { code });

describe('no answer', () => {
  test.each([
    [new errors.ConnectTimeoutError('x'), 'origin-timeout'],
    [coded('ETIMEDOUT'), 'origin-timeout'],
    [new errors.HeadersTimeoutError('x'), 'origin-timeout'],
    [coded('ECONNREFUSED'), 'origin-error'],
    [coded('ENOTFOUND'), 'origin-error'],
    [coded('EAI_AGAIN'), 'origin-error'],
    [coded('EHOSTUNREACH'), 'origin-error'],
    [coded('ENETUNREACH'), 'origin-error'],
    [coded('ECONNRESET'), 'origin-error'],
    [coded('EPIPE'), 'origin-error'],
    [new errors.SocketError('other side closed'), 'origin-error'],
    [new errors.HeadersOverflowError('x'), 'origin-error'],
    [new errors.HTTPParserError('x'), 'origin-error'],
    [new errors.ResponseContentLengthMismatchError('x'), 'origin-error'],
    [coded('CERT_HAS_EXPIRED'), 'origin-error'],
    [coded('DEPTH_ZERO_SELF_SIGNED_CERT'), 'origin-error'],
    [coded('ERR_TLS_CERT_ALTNAME_INVALID'), 'origin-error'],
    [coded('ESOMETHING'), 'origin-error'],
    [new Error('no code'), 'origin-error'],
    [undefined, 'origin-error'],
    [new AddressBlocked('10.0.0.1', '10.0.0.1', 'private'), 'origin-blocked'],
  ])('by %s is %s', (error, reason) => {
    const failure = exchangeFailure(error);
    expect(failure).toBeInstanceOf(AssetFailure);
    expect(failure.reason).toBe(reason);
    expect(failure.message).not.toContain('low-level');
  });

  test('names what is wrong with a certificate, and the mend', () => {
    expect(exchangeFailure(coded('SELF_SIGNED_CERT_IN_CHAIN'))).toMatchObject({
      message: expect.stringContaining('SELF_SIGNED_CERT_IN_CHAIN'),
      hint: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
    });
  });

  test('on every address of a name is told by the first that has a code', () => {
    const error = new AggregateError([new Error('first'), coded('ECONNREFUSED')]);
    expect(exchangeFailure(error).message).toBe('the origin refuses connections');
  });

  test('that is explained already passes as it is', () => {
    const failure = new AssetFailure('origin-blocked', { detail: 'x' });
    expect(exchangeFailure(failure)).toBe(failure);
  });
});

describe('a body that breaks off', () => {
  test.each([
    [new errors.SocketError('other side closed'), 'the end of the connection'],
    [coded('ECONNRESET'), 'a connection reset'],
    [new errors.HTTPParserError('Invalid character in chunk size'), 'broken framing'],
  ])('by %s says how far it came', (error, what) => {
    const failure = bodyFailure(error, 5, 10);
    expect(failure.reason).toBe('origin-truncated');
    expect(failure.message).toContain(what);
    expect(failure.message).toContain('after 5 of 10 bytes');
  });
});
