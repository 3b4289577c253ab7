import { createHash, createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** What a signed request is checked with. */
export interface S3Account {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
}

/**
 * What an S3 server says of a request's signature: `undefined` when it is right, else the error code.
 *
 * Written from AWS's description of the server's side, apart from the signer under test: it reads the names of the
 * signed headers from the request and computes the rest from what arrived on the wire.
 */
export function refuseSignature(
  request: { readonly method: string; readonly url: string; readonly headers: IncomingHttpHeaders },
  account: S3Account,
  now: Date,
): 'AccessDenied' | 'InvalidAccessKeyId' | 'RequestTimeTooSkewed' | 'SignatureDoesNotMatch' | undefined {
  const { authorization, 'x-amz-date': timestamp } = request.headers;
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      authorization ?? '',
    );
  if (match === null || typeof timestamp !== 'string') return 'AccessDenied';
  const [, keyId = '', day = '', region = '', names = '', signature = ''] = match;
  if (keyId !== account.accessKeyId) return 'InvalidAccessKeyId';
  const sentAt = Date.parse(timestamp.replace(/^(....)(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5'));
  if (!timestamp.startsWith(day) || !(Math.abs(now.getTime() - sentAt) < 15 * 60_000)) return 'RequestTimeTooSkewed';
  if (!names.split(';').includes('host') || region !== account.region) return 'SignatureDoesNotMatch';

  const [path = '', query = ''] = request.url.split('?');
  const canonicalHeaders = names.split(';').map((name) => `${name}:${String(request.headers[name]).trim()}`);
  const canonicalRequest = [
    request.method,
    path,
    query,
    ...canonicalHeaders,
    '',
    names,
    String(request.headers['x-amz-content-sha256']),
  ].join('\n');
  const digest = createHash('sha256').update(canonicalRequest).digest('hex');
  const hmac = (key: string | Buffer, data: string) => createHmac('sha256', key).update(data).digest();
  const dayKey = hmac(`AWS4${account.secretAccessKey}`, day);
  const key = hmac(hmac(hmac(dayKey, region), 's3'), 'aws4_request');
  const expected = hmac(key, `AWS4-HMAC-SHA256\n${timestamp}\n${day}/${region}/s3/aws4_request\n${digest}`);
  return expected.toString('hex') === signature ? undefined : 'SignatureDoesNotMatch';
}
