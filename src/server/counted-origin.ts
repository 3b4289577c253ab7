import type { Metrics } from '../admin/metrics.ts';
import type { Origin } from '../origin/origin.ts';

/**
 * Counts what an origin is asked for and sends. A read that clients and the upload share counts once, for whoever began
 * it.
 */
export function countedOrigin(
  origin: Origin,
  mapping: string,
  purpose: 'serve' | 'upload',
  metrics: Pick<Metrics, 'originRequest'>,
): Origin {
  return {
    async open(request) {
      const answer = await origin.open(request).catch((error: unknown) => {
        metrics.originRequest(mapping, purpose, 0);
        throw error;
      });
      const { body } = answer;
      let bytes = 0;
      // Not by 'data': that would set the body flowing before its reader is there.
      const push = body.push.bind(body);
      body.push = (chunk: Buffer | null, encoding) => {
        bytes += chunk?.length ?? 0;
        return push(chunk, encoding);
      };
      body.once('close', () => metrics.originRequest(mapping, purpose, bytes));
      return answer;
    },
    async describe(request) {
      try {
        return await origin.describe(request);
      } finally {
        metrics.originRequest(mapping, purpose, 0);
      }
    },
    close: () => origin.close(),
  };
}
