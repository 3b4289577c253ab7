import type { AssetKey } from './key.ts';
import type { DeliveryType, ResourceType } from './record.ts';

/** One asset with everything that follows from its key and its mapping: where it comes from and where its copy goes. */
export interface Asset {
  readonly key: AssetKey;
  /** Absolute; the mapping's origin and the key's path, with the query where it is part of the key. */
  readonly originUrl: string;
  /** Deterministic: see `delivery/public-id.ts`. */
  readonly publicId: string;
  /** `auto` where the path tells nothing and the store shall decide by the content. */
  readonly resourceType: ResourceType | 'auto';
  readonly deliveryType: DeliveryType;
  /** Last part of the path, decoded where it is UTF-8; for the store's records only. */
  readonly filename: string;
}
