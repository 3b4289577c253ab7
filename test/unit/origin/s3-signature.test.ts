import { describe, expect, test } from 'vitest';
import { signS3Request } from '../../../src/origin/s3/signature.ts';
import { refuseSignature } from '../../support/s3-signature.ts';

// AWS, "Signature Calculations for the Authorization Header", example "GET Object".
const example = {
  keys: {
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    region: 'us-east-1',
  },
  url: new URL('https://examplebucket.s3.amazonaws.com/test.txt'),
  now: new Date('2013-05-24T00:00:00Z'),
};

describe('the signature of an S3 request', () => {
  test('is that of AWS’s published example', () => {
    const headers = signS3Request(
      { method: 'GET', url: example.url, headers: { range: 'bytes=0-9' } },
      example.keys,
      example.now,
    );
    expect(headers).toEqual({
      'x-amz-content-sha256': 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      'x-amz-date': '20130524T000000Z',
      authorization:
        'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    });
  });

  test('covers the session token of temporary keys', () => {
    const headers = signS3Request(
      { method: 'HEAD', url: example.url },
      { ...example.keys, sessionToken: 'token' },
      example.now,
    );
    expect(headers['x-amz-security-token']).toBe('token');
    expect(headers.authorization).toContain('host;x-amz-content-sha256;x-amz-date;x-amz-security-token');
  });

  test.each(['/a%20b.jpg', '/it%27s%281%29.jpg', '/%C3%BC/%2B.jpg', '//a.jpg', '/~a-b_c.jpg'])(
    'of %s is what a server computes from the wire',
    (path) => {
      const url = new URL(path, example.url);
      url.pathname = path;
      const headers = { host: url.host, ...signS3Request({ method: 'GET', url }, example.keys, example.now) };
      const request = { method: 'GET', url: path, headers };
      expect(refuseSignature(request, example.keys, example.now)).toBeUndefined();
      expect(refuseSignature({ ...request, url: `${path}x` }, example.keys, example.now)).toBe('SignatureDoesNotMatch');
      expect(refuseSignature({ ...request, method: 'HEAD' }, example.keys, example.now)).toBe('SignatureDoesNotMatch');
    },
  );
});
