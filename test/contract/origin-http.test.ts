import { createHttpOrigin } from '../../src/origin/http/http-origin.ts';
import type { OriginNetwork } from '../../src/origin/http/http-reader.ts';
import { startChaosOrigin } from '../support/chaos-origin.ts';
import { impatientNetwork, patientNetwork } from '../support/origin-network.ts';
import { describeOrigin } from './origin.contract.ts';

describeOrigin('http', async () => {
  const chaos = await startChaosOrigin();
  const prefix = `${chaos.url}/static/images/`;
  const open = (network: OriginNetwork) =>
    createHttpOrigin({ origin: prefix, network, auth: null, maxBytes: 1_000_000, userAgent: 'lazyferry/test' });
  return {
    origin: open(patientNetwork),
    impatient: open(impatientNetwork),
    chaos,
    urlOf: (name) => prefix + name,
    pathOf: (name) => `/static/images/${name}`,
    close: () => chaos.close(),
  };
});
