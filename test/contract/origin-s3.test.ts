import type { OriginNetwork } from '../../src/origin/http/http-reader.ts';
import { createS3Origin } from '../../src/origin/s3/s3-origin.ts';
import { startChaosOrigin } from '../support/chaos-origin.ts';
import { impatientNetwork, patientNetwork } from '../support/origin-network.ts';
import { refuseSignature } from '../support/s3-signature.ts';
import { describeOrigin } from './origin.contract.ts';

const account = { accessKeyId: 'AKIATEST', secretAccessKey: 'a/secret+key', region: 'eu-central-1' };

describeOrigin('s3', async () => {
  const chaos = await startChaosOrigin({
    admit: (request) => {
      const code = refuseSignature(request, account, new Date());
      return code === undefined
        ? undefined
        : { kind: 'status', status: 403, body: `<Error><Code>${code}</Code></Error>` };
    },
  });
  const open = (network: OriginNetwork) =>
    createS3Origin({
      origin: 's3://media/static/',
      network,
      auth: { kind: 's3', ...account, endpoint: chaos.url },
      maxBytes: 1_000_000,
      userAgent: 'lazyferry/test',
    });
  return {
    origin: open(patientNetwork),
    impatient: open(impatientNetwork),
    chaos,
    urlOf: (name) => `s3://media/static/${name}`,
    pathOf: (name) => `/media/static/${name}`,
    close: () => chaos.close(),
  };
});
