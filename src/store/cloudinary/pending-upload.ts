import { AssetFailure } from '../../asset/failure.ts';
import type { ResourceType, StoreIdentity } from '../../asset/record.ts';
import type { StoredAsset, UploadRequest } from '../asset-store.ts';
import type { StoreAnswer } from './answer.ts';
import { wait } from './wait.ts';

export interface PollRules {
  /** Wait before the first look, in milliseconds; each further one is twice as long, up to `longestIntervalMs`. */
  readonly firstIntervalMs: number;
  readonly longestIntervalMs: number;
  /** After this many looks the upload counts as lost. Each is a call of the Admin API, of which there are 500 an hour. */
  readonly looks: number;
}

type Describe = (identity: StoreIdentity) => Promise<StoredAsset | undefined>;

/** Whether the answer says that the store works in the background (`async`, contract §5.1). */
export function isPending(answer: StoreAnswer): boolean {
  return answer.json?.status === 'pending';
}

/**
 * Waits for the end of an upload in the background by asking for its result.
 *
 * @param before the version that was stored before, where the upload replaces it
 * @throws {AssetFailure} `store-unreachable` when nothing is there in time
 */
export async function awaitPending(
  answer: StoreAnswer,
  request: UploadRequest,
  before: number | undefined,
  describe: Describe,
  rules: PollRules,
): Promise<StoredAsset> {
  const publicId = typeof answer.json?.public_id === 'string' ? answer.json.public_id : request.target.publicId;
  const types = possibleTypes(answer.json?.resource_type ?? request.target.resourceType);
  let interval = rules.firstIntervalMs;
  for (let look = 0; look < rules.looks; look += 1) {
    await wait(interval, request.signal);
    interval = Math.min(interval * 2, rules.longestIntervalMs);
    for (const resourceType of types) {
      const found = await describe({ resourceType, deliveryType: request.target.deliveryType, publicId });
      if (found !== undefined && found.version !== before) return found;
    }
  }
  throw new AssetFailure('store-unreachable', {
    detail: 'the store has not finished this upload in the background in time',
    hint: 'upload.notificationUrl receives the store’s own report, failures included',
  });
}

function possibleTypes(resourceType: unknown): readonly ResourceType[] {
  if (resourceType === 'image' || resourceType === 'video' || resourceType === 'raw') return [resourceType];
  return ['image', 'video', 'raw'];
}
