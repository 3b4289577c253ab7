import type { OriginNetwork } from '../../src/origin/http/http-reader.ts';

/** The network rules of a mapping whose origin is a test server: loopback opened, impatient. */
export const quickNetwork: OriginNetwork = {
  allowPrivate: true,
  maxRedirects: 3,
  redirectHosts: [],
  connectTimeout: 1_000,
  headersTimeout: 300,
  bodyTimeout: 300,
  connections: 64,
  totalTimeout: 5_000,
  minRate: 1_000,
  rateGrace: 200,
};
