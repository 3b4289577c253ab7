import { createHttpOrigin } from '../../src/origin/http/http-origin.ts';
import { startChaosOrigin } from '../support/chaos-origin.ts';
import { quickNetwork } from '../support/origin-network.ts';
import { describeOrigin } from './origin.contract.ts';

describeOrigin('http', async () => {
  const chaos = await startChaosOrigin();
  const prefix = `${chaos.url}/static/images/`;
  return {
    origin: createHttpOrigin({
      origin: prefix,
      network: quickNetwork,
      auth: null,
      maxBytes: 1_000_000,
      userAgent: 'lazyferry/test',
    }),
    chaos,
    urlOf: (name) => prefix + name,
    pathOf: (name) => `/static/images/${name}`,
    close: () => chaos.close(),
  };
});
