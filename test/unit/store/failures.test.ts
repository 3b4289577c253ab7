import { describe, expect, it } from 'vitest';
import type { Reason } from '../../../src/asset/reason.ts';
import type { StoreAnswer } from '../../../src/store/cloudinary/answer.ts';
import { answerFailure } from '../../../src/store/cloudinary/failures.ts';

const now = Date.parse('2026-11-24T16:40:00Z');
const url = 'https://origin.test/a - b.jpg';

function answer(status: number, message?: string, headers: Record<string, string> = {}): StoreAnswer {
  return { status, headers, json: message === undefined ? undefined : { error: { message } } };
}

function failureOf(given: StoreAnswer, remoteUrl = false) {
  return answerFailure(given, { remoteUrl, now, secrets: ['s3cret'] });
}

describe('an answer of the store becomes the reason that says what to do', () => {
  // Every row of contract §5.2.
  const documented: readonly (readonly [string, StoreAnswer, Reason])[] = [
    ['bad signature', answer(401, "Invalid Signature abc. String to sign - 'public_id=a&timestamp=1'."), 'store-auth'],
    [
      'stale timestamp',
      answer(400, 'Stale request - reported time is 2024-04-11 13:23:38 +0000 which is more than 1 hour ago'),
      'store-auth',
    ],
    ['stale timestamp as 401', answer(401, 'Stale request - reported time is …'), 'store-auth'],
    ['too large', answer(400, 'File size too large. Got 10485761. Maximum is 10485760.'), 'too-large'],
    ['not an image', answer(400, 'Invalid image file'), 'wrong-type'],
    ['allowed_formats', answer(400, 'Image file format jpg not allowed'), 'wrong-type'],
    ['allowed_formats in other words', answer(400, 'An unknown file format not allowed'), 'wrong-type'],
    ['bad file string', answer(400, 'Unsupported source URL: ftps://x'), 'origin-blocked'],
    ['bad file URL', answer(400, 'Invalid URL for upload'), 'origin-blocked'],
    ['no file', answer(400, 'Missing required parameter - file'), 'store-rejected'],
    ['bad cloud', answer(401, 'Invalid cloud_name x'), 'store-auth'],
    ['disabled cloud', answer(401, 'cloud_name x is disabled'), 'store-auth'],
    ['bad key', answer(401, 'Invalid api_key 1'), 'store-auth'],
    ['bad secret', answer(401, 'api_secret mismatch'), 'store-auth'],
    [
      'Admin rate limit',
      answer(420, 'Rate Limit Exceeded. Limit of 500 api operations reached.'),
      'store-rate-limited',
    ],
    [
      'rate limit as 400',
      answer(400, 'Rate Limit Exceeded. Limit of 500 api operations reached.'),
      'store-rate-limited',
    ],
    ['moderation', answer(400, 'Moderation x moderation is not valid'), 'store-rejected'],
    ['raw convert', answer(400, 'Raw convert is invalid'), 'store-rejected'],
    ['no preset', answer(400, 'Upload preset must be specified when using unsigned upload'), 'store-rejected'],
    ['signed preset', answer(400, 'Upload preset must be whitelisted for unsigned uploads'), 'store-rejected'],
    ['unknown preset', answer(400, 'Upload preset not found'), 'store-rejected'],
    ['small chunk', answer(400, 'All parts except EOF-chunk must be larger than 5mb'), 'store-rejected'],
    ['video too large to process at once', answer(400, 'Video is too large to process synchronously'), 'too-large'],
  ];

  it.each(documented)('%s', (_situation, given, reason) => {
    expect(failureOf(given).reason).toBe(reason);
  });

  // Every status of the guide and of issue 3, with and without Cloudinary's envelope.
  const statuses: readonly (readonly [number, Reason, Reason])[] = [
    [200, 'store-rejected', 'store-unreachable'],
    [301, 'store-rejected', 'store-unreachable'],
    [400, 'store-rejected', 'store-rejected'],
    [401, 'store-auth', 'store-auth'],
    [403, 'store-auth', 'store-auth'],
    [404, 'store-rejected', 'store-unreachable'],
    [408, 'store-unreachable', 'store-unreachable'],
    [409, 'id-collision', 'id-collision'],
    [413, 'too-large', 'too-large'],
    [418, 'store-rejected', 'store-rejected'],
    [420, 'store-rate-limited', 'store-rate-limited'],
    [423, 'store-unreachable', 'store-unreachable'],
    [429, 'store-rate-limited', 'store-rate-limited'],
    [500, 'store-unreachable', 'store-unreachable'],
    [502, 'store-unreachable', 'store-unreachable'],
    [503, 'store-unreachable', 'store-unreachable'],
    [504, 'store-unreachable', 'store-unreachable'],
  ];

  it.each(statuses)('status %i with a text of its own, and with no readable body', (status, withText, without) => {
    expect(failureOf(answer(status, 'Something new')).reason).toBe(withText);
    expect(failureOf(answer(status)).reason).toBe(without);
    expect(failureOf(answer(status)).status).toBe(status);
  });

  it('reads an error under status 200 by its text', () => {
    expect(failureOf(answer(200, 'File size too large. Got 2. Maximum is 1.')).reason).toBe('too-large');
  });

  it('reads the text from X-Cld-Error where the body is not JSON', () => {
    expect(failureOf(answer(400, undefined, { 'x-cld-error': 'Invalid image file' })).reason).toBe('wrong-type');
  });

  it('tells the operator what was said and what to do', () => {
    const failure = failureOf(answer(400, 'Upload preset not found'));
    expect(failure.message).toBe('the store answered 400: Upload preset not found');
    expect(failure.hint).toContain('upload.preset');
  });
});

describe('a URL that the store could not load speaks of the origin', () => {
  const outcomes: readonly (readonly [string, Reason])[] = [
    [`Resource not found - ${url}`, 'origin-not-found'],
    [`Resource not found - ${url} HTML response`, 'origin-denied'],
    [`Error in loading ${url} - HTTP status 404`, 'origin-not-found'],
    [`Error in loading ${url} - 404 Not Found`, 'origin-not-found'],
    [`Error in loading ${url} - 410 Gone`, 'origin-gone'],
    [`Error in loading ${url} - 401 Unauthorized`, 'origin-denied'],
    [`Error in loading ${url} - 403 Forbidden`, 'origin-denied'],
    [`Error in loading ${url} - 403 forbidden`, 'origin-denied'],
    [`Error in loading ${url} - 429 Too Many Requests`, 'origin-error'],
    [`Error in loading ${url} - 500 Internal Server Error`, 'origin-error'],
    [`Error in loading ${url} - 503 Service Unavailable`, 'origin-error'],
    [`Error in loading ${url} - 504 Gateway Timeout`, 'origin-timeout'],
    [`Error in loading ${url} - ERR_DNS_FAIL 0`, 'origin-error'],
    [`Error in loading ${url} - Timed out reading data from server`, 'origin-timeout'],
    [`Error in loading ${url} - Server broke connection`, 'origin-truncated'],
    [`Error in loading ${url} - partial download`, 'origin-truncated'],
    [`Error in loading ${url} - HTML response`, 'origin-denied'],
    [`Error in loading ${url} - something new`, 'origin-error'],
  ];

  it.each(outcomes)('%s', (text, reason) => {
    expect(failureOf(answer(400, text), true).reason).toBe(reason);
    expect(failureOf(answer(404, text), true).reason).toBe(reason);
  });

  it('but not where we sent the bytes ourselves', () => {
    expect(failureOf(answer(400, `Error in loading ${url} - 404 Not Found`)).reason).toBe('store-rejected');
  });
});

describe('how long to wait', () => {
  it.each([
    ['Retry-After in seconds', answer(429, 'x', { 'retry-after': '120' }), 120_000],
    ['Retry-After as a date', answer(503, 'x', { 'retry-after': 'Tue, 24 Nov 2026 16:45:00 GMT' }), 300_000],
    [
      'the reset of the hourly limit',
      answer(420, 'x', { 'x-featureratelimit-reset': 'Tue, 24 Nov 2026 17:00:00 GMT' }),
      1_200_000,
    ],
    [
      'the text',
      answer(420, 'Rate Limit Exceeded. Limit of 500 api operations reached. Try again on 2026-11-24 17:00:00 UTC'),
      1_200_000,
    ],
    ['a time gone by', answer(420, 'x', { 'retry-after': 'Tue, 24 Nov 2026 16:00:00 GMT' }), 0],
    ['nonsense', answer(420, 'x', { 'retry-after': 'soon' }), undefined],
    ['more than a day', answer(420, 'x', { 'retry-after': '9999999' }), 86_400_000],
    [
      'a reset while calls are left',
      answer(503, 'x', {
        'x-featureratelimit-remaining': '7',
        'x-featureratelimit-reset': 'Tue, 24 Nov 2026 17:00:00 GMT',
      }),
      undefined,
    ],
  ])('%s', (_source, given, expected) => {
    expect(failureOf(given).retryAfterMs).toBe(expected);
  });
});

describe('what must not be told', () => {
  it('takes secrets, credentials, queries of signed URLs and signatures out of what the store quotes', () => {
    const text =
      'Error in loading https://user:pass@origin.test/a.jpg?X-Amz-Signature=abc - 403 Forbidden; s3cret; Basic dXNlcjpwYXNz';
    const { message } = failureOf(answer(400, text), true);
    expect(message).toContain('https://[credentials]@origin.test/a.jpg');
    for (const secret of ['pass@', 'X-Amz', 's3cret', 'dXNlcjpwYXNz']) expect(message).not.toContain(secret);
    const signature = 'bfd09f95f331f558cbd1320e67aa8d488770583e';
    expect(failureOf(answer(401, `Invalid Signature ${signature}. String to sign - 'a'.`)).message).not.toContain(
      signature,
    );
  });

  it('cuts endless texts', () => {
    expect(failureOf(answer(400, 'x'.repeat(10_000))).message.length).toBeLessThan(600);
  });
});
