import { buffer } from 'node:stream/consumers';
import { createHttpOrigin, type HttpOriginOptions } from '../../../src/origin/http/http-origin.ts';
import type { OriginNetwork } from '../../../src/origin/http/http-reader.ts';
import type { Origin } from '../../../src/origin/origin.ts';
import { patientNetwork } from '../../support/origin-network.ts';

/** An `http` origin for a test, closed at the end of its scope. */
export function openOrigin(
  origin: string,
  options: Partial<Omit<HttpOriginOptions, 'network'>> & { readonly network?: Partial<OriginNetwork> } = {},
): Origin & AsyncDisposable {
  const driver = createHttpOrigin({
    auth: null,
    userAgent: 'lazyferry/test',
    ...options,
    origin,
    network: { ...patientNetwork, ...options.network },
  });
  return {
    open: (request) => driver.open(request),
    describe: (request) => driver.describe(request),
    close: () => driver.close(),
    [Symbol.asyncDispose]: () => driver.close(),
  };
}

export async function readAll(origin: Origin, url: string): Promise<string> {
  return (await buffer((await origin.open({ url })).body)).toString();
}
