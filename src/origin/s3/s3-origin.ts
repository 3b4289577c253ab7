import { Readable } from 'node:stream';
import { AssetFailure } from '../../asset/failure.ts';
import type { Credentials } from '../http/auth.ts';
import { HttpReader, type HttpReaderOptions } from '../http/http-reader.ts';
import type { Origin, OriginBody, OriginRequest, OriginResponse } from '../origin.ts';
import { objectUrl, objectUrlPrefix, type S3Place } from './object-url.ts';
import { type S3Keys, signS3Request } from './signature.ts';

interface S3Auth extends S3Keys {
  readonly kind: 's3';
  readonly endpoint?: string | undefined;
}

export interface S3OriginOptions extends Omit<HttpReaderOptions, 'credentials'> {
  /** `s3://bucket/prefix/` */
  readonly origin: string;
  /** null: a bucket that everybody may read. */
  readonly auth: S3Auth | null;
}

/**
 * The `s3` driver: the objects of a bucket below a prefix, read with signed requests. Also for services compatible
 * with S3, by `endpoint`. Long-lived, one a mapping.
 *
 * @throws {TypeError} when the origin is not `s3://bucket/prefix/`
 */
export function createS3Origin({ auth, ...options }: S3OriginOptions): Origin {
  const place: S3Place = {
    origin: options.origin,
    region: auth?.region ?? 'us-east-1',
    ...(auth?.endpoint === undefined ? {} : { endpoint: auth.endpoint }),
  };
  const prefix = objectUrlPrefix(place);
  const credentials: Credentials | undefined =
    auth === null ? undefined : ({ method, url }) => signS3Request({ method, url }, auth, new Date());
  const reader = new HttpReader({ ...options, origin: prefix, ...(credentials === undefined ? {} : { credentials }) });
  const locate = (request: OriginRequest): OriginRequest => ({
    ...request,
    url: objectUrl(request.url, place, prefix),
  });

  return {
    async open(request) {
      return explained(await reader.open(locate(request)));
    },
    async describe(request) {
      const response = await reader.describe(locate(request));
      refuseWrongRegion(response);
      return response;
    },
    close: () => reader.close(),
  };
}

/** What is looked at of an error document; S3's are shorter by far. */
const errorDocumentBytes = 16_384;

/** S3 answers a mistake in the configuration as it answers for an object; it must not count as the object's own fate. */
async function explained(answer: OriginBody): Promise<OriginBody> {
  if (answer.status < 300 || answer.status === 304 || answer.status === 416) return answer;
  const document = await readBeginning(answer.body);
  try {
    refuseWrongRegion(answer);
    refuseMissingBucket(answer.status, document.bytes);
  } catch (error) {
    answer.body.destroy();
    throw error;
  }
  if (document.isAll) return { ...answer, body: Readable.from([document.bytes], { objectMode: false }) };
  answer.body.unshift(document.bytes);
  return answer;
}

async function readBeginning(body: Readable): Promise<{ readonly bytes: Buffer; readonly isAll: boolean }> {
  let bytes = Buffer.alloc(0);
  for await (const chunk of body.iterator({ destroyOnReturn: false })) {
    bytes = Buffer.concat([bytes, chunk]);
    if (bytes.length > errorDocumentBytes) return { bytes, isAll: false };
  }
  return { bytes, isAll: true };
}

function refuseMissingBucket(status: number, document: Buffer): void {
  if (!document.includes('<Code>NoSuchBucket</Code>')) return;
  throw new AssetFailure('origin-error', {
    detail: 'the bucket does not exist',
    status,
    hint: 'check the bucket in the mapping’s origin, and auth.endpoint where the service is not AWS',
  });
}

function refuseWrongRegion({ status, headers }: OriginResponse): void {
  const region = headers['x-amz-bucket-region'];
  if ((status === 301 || status === 400) && region !== undefined) {
    throw new AssetFailure('origin-error', {
      detail: 'the bucket is in another region',
      status,
      hint: `set auth.region to ${region}`,
    });
  }
}
