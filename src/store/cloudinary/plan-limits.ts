import { AssetFailure } from '../../asset/failure.ts';
import type { ResourceType } from '../../asset/record.ts';
import { resourceTypeOfExtension } from '../../cloudinary/format.ts';
import type { UploadRequest } from '../asset-store.ts';
import type { StoreAnswer } from './answer.ts';

/** Largest file of each type that the account's plan takes, in bytes; absent where it is not known. */
export type PlanLimits = Readonly<Partial<Record<ResourceType, number>>>;

/** Reads `media_limits` out of the Admin API's `usage` (contract §2.5, §10). */
export function readLimits(usage: StoreAnswer): PlanLimits {
  const limits: unknown = usage.json?.media_limits;
  if (typeof limits !== 'object' || limits === null) return {};
  const limit = (key: string): number | undefined => {
    const value: unknown = Reflect.get(limits, key);
    return typeof value === 'number' && value > 0 ? value : undefined;
  };
  const [image, video, raw] = ['image', 'video', 'raw'].map((type) => limit(`${type}_max_size_bytes`));
  return {
    ...(image !== undefined && { image }),
    ...(video !== undefined && { video }),
    ...(raw !== undefined && { raw }),
  };
}

const remembered = 60 * 60 * 1000;
const rememberedFailure = 10 * 60 * 1000;

/** Asks once an hour, however many uploads want to know; an account that does not tell has no limits. */
export class PlanLimitsMemory {
  readonly #read: () => Promise<PlanLimits>;
  readonly #now: () => number;
  #limits: Promise<PlanLimits> | undefined;
  #goodUntil = 0;

  constructor(read: () => Promise<PlanLimits>, now: () => number) {
    this.#read = read;
    this.#now = now;
  }

  get(): Promise<PlanLimits> {
    if (this.#limits === undefined || this.#now() >= this.#goodUntil) {
      this.#goodUntil = this.#now() + remembered;
      this.#limits = this.#read().catch(() => {
        this.#goodUntil = this.#now() + rememberedFailure;
        return {};
      });
    }
    return this.#limits;
  }
}

/**
 * Refuses a file that the plan does not take, before a byte of it moves.
 *
 * @throws {AssetFailure} `too-large`
 */
export function checkLimits(limits: PlanLimits, { source, target }: UploadRequest): void {
  if (source.length === undefined) return;
  const limit = limitOf(limits, target.resourceType, source.kind === 'bytes' ? source.filename : source.url);
  if (limit === undefined || source.length <= limit) return;
  throw new AssetFailure('too-large', {
    detail: `the file has ${source.length} bytes and the Cloudinary plan takes ${limit}`,
    hint: 'allow.maxBytes of the mapping keeps such files from being tried; a larger plan takes them',
  });
}

/** Where the store decides the type by the content, the most generous limit: it refuses the rest by itself. */
function limitOf(limits: PlanLimits, resourceType: ResourceType | 'auto', name: string): number | undefined {
  if (resourceType !== 'auto') return limits[resourceType];
  const extension = /\.([A-Za-z0-9]+)(?:[?#]|$)/.exec(name)?.[1];
  if (extension !== undefined && resourceTypeOfExtension(extension) !== 'raw')
    return limits[resourceTypeOfExtension(extension)];
  const { image, video, raw } = limits;
  return image === undefined || video === undefined || raw === undefined ? undefined : Math.max(image, video, raw);
}
