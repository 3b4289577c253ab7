import type { DeliveryType, ResourceType, StoreIdentity } from '../../asset/record.ts';

/** What the analysis of an image's, video's or document's bytes found; by Cloudinary's field names. */
export interface MediaFacts {
  readonly width?: number;
  readonly height?: number;
  /** Pages of a document, frames of an animation, 1 for a still image, 0 for a video. */
  readonly pages?: number;
  readonly duration?: number;
  readonly bit_rate?: number;
  readonly frame_rate?: number;
  readonly nb_frames?: number;
  readonly rotation?: number;
  readonly is_audio?: boolean;
  readonly audio?: Readonly<Record<string, string | number>>;
  readonly video?: Readonly<Record<string, string | number>>;
}

/** One stored asset: everything but its bytes, which are the blob named by `sha256`. */
export interface Asset extends StoreIdentity {
  readonly assetId: string;
  readonly versionId: string;
  /** Unix seconds; greater than every version before under the same public ID. */
  readonly version: number;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly sha256: string;
  readonly md5: string;
  readonly bytes: number;
  /** Empty for raw assets. */
  readonly format: string;
  readonly facts: MediaFacts;
  /** File name without extension, where the upload had one. */
  readonly originalFilename?: string;
  readonly assetFolder: string;
  readonly displayName: string;
  readonly tags: readonly string[];
  readonly context: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Response headers that the uploader asked for on delivery. */
  readonly headers: Readonly<Record<string, string>>;
  readonly moderation: readonly { readonly kind: string; readonly status: string }[];
  /** Transformations made at upload, each `transformation` or `transformation/format`. */
  readonly eager: readonly string[];
}

const resourceTypes: readonly ResourceType[] = ['image', 'video', 'raw'];
const deliveryTypes: readonly DeliveryType[] = ['upload', 'private', 'authenticated'];

export function isResourceType(text: string): text is ResourceType {
  return (resourceTypes as readonly string[]).includes(text);
}

export function isDeliveryType(text: string): text is DeliveryType {
  return (deliveryTypes as readonly string[]).includes(text);
}
