import type { OriginNetwork } from '../../src/origin/http/http-reader.ts';

/** The network rules of a mapping whose origin is a test server: loopback opened, patient with a busy machine. */
export const patientNetwork: OriginNetwork = {
  allowPrivate: true,
  maxRedirects: 3,
  redirectHosts: [],
  connectTimeout: 15_000,
  headersTimeout: 15_000,
  bodyTimeout: 15_000,
  connections: 64,
};

/** The same for tests of timeouts: whatever runs out first, the origin is found slow within a second or so. */
export const impatientNetwork: OriginNetwork = {
  ...patientNetwork,
  headersTimeout: 300,
  bodyTimeout: 300,
  totalTimeout: 5_000,
  minRate: 1_000,
  rateGrace: 200,
};
