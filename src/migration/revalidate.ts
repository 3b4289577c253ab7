import type { OriginFacts } from '../asset/record.ts';
import type { Origin } from '../origin/origin.ts';

/**
 * Asks the origin whether it still has the version that was copied; undefined when it has. Where it states neither
 * ETag nor date, a different length tells.
 *
 * Rejects with `AssetFailure` where the origin gives no answer.
 */
export async function newerFacts(
  origin: Origin,
  url: string,
  copied: OriginFacts,
  signal: AbortSignal,
): Promise<OriginFacts | undefined> {
  const conditions: Record<string, string> = {};
  if (copied.etag !== undefined) conditions['if-none-match'] = copied.etag;
  else if (copied.lastModified !== undefined) conditions['if-modified-since'] = copied.lastModified;
  const { status, facts } = await origin.describe({ url, conditions, signal });
  if (status === 304) return undefined;
  const same =
    status === 200 &&
    facts.etag === copied.etag &&
    facts.lastModified === copied.lastModified &&
    facts.bytes === copied.bytes;
  return same ? undefined : facts;
}
