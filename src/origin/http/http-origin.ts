import type { Origin } from '../origin.ts';
import { credentialsOf, type HttpAuth } from './auth.ts';
import { HttpReader, type HttpReaderOptions } from './http-reader.ts';

export interface HttpOriginOptions extends Omit<HttpReaderOptions, 'credentials'> {
  readonly auth: HttpAuth | null;
}

/**
 * The `http` driver: an origin that serves its objects by GET. Long-lived, one a mapping: it holds the connections.
 *
 * @throws {TypeError} when the credentials cannot stand in a header
 */
export function createHttpOrigin({ auth, ...options }: HttpOriginOptions): Origin {
  return new HttpReader(auth === null ? options : { ...options, credentials: credentialsOf(auth) });
}
