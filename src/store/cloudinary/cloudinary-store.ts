import type { StoreIdentity } from '../../asset/record.ts';
import type { AssetStore, StoredAsset, UploadRequest, UploadResult } from '../asset-store.ts';
import { AccountApi } from './account-api.ts';
import type { StoreAnswer } from './answer.ts';
import { ApiClient } from './api-client.ts';
import { type Authentication, defaultAuthentication } from './authorization.ts';
import { type ChunkRules, StoredInPart, uploadInChunks } from './chunked-upload.ts';
import { apiHost, type CloudinaryAccount, parseCloudinaryUrl } from './cloudinary-url.ts';
import { CopyReader } from './copy-reader.ts';
import { copyUrl, deliveryHost } from './delivery-host.ts';
import { awaitPending, isPending, type PollRules } from './pending-upload.ts';
import { checkLimits, type PlanLimits, PlanLimitsMemory, readLimits } from './plan-limits.ts';
import { checkSignature, type PartialAsset, readAsset, withMd5 } from './stored-asset.ts';
import { uploadUrl, uploadWhole } from './upload.ts';

export interface CloudinaryStoreOptions {
  /** CLOUDINARY_URL. */
  readonly url: string;
  /** API host; stronger than the URL's `upload_prefix`. */
  readonly uploadPrefix?: string;
  /** Scheme and host of delivery URLs; stronger than what the URL says of them. */
  readonly deliveryPrefix?: string;
  /** How uploads prove that they may; by what credentials there are unless told. */
  readonly authentication?: Authentication;
  /** Longest silence of the store, in milliseconds; 120,000 unless told. */
  readonly timeoutMs?: number;
  /** Larger files go in chunks of this size; 20,000,000 unless told. Raised to Cloudinary's smallest, 5 MiB and a bit. */
  readonly chunkBytes?: number;
  /** Uploads that may be under way at a time; 10 unless told. */
  readonly uploads?: number;
  readonly chunkRetryDelaysMs?: readonly number[];
  readonly polling?: PollRules;
  readonly now?: () => number;
}

/** No upload waits longer than this to learn whether it is too large. */
const limitsTimeoutMs = 10_000;

/** The port, and what only Cloudinary has. */
export interface CloudinaryStore extends AssetStore {
  /** Size limits of the plan, asked at most once an hour; empty where the account does not tell. */
  limits(): Promise<PlanLimits>;
}

/** "Every chunk but the last must be larger than 5 MB" (contract §3). */
const smallestChunk = 5 * 1024 * 1024 + 1;

/**
 * The store port over Cloudinary's Upload API, Admin API and delivery URLs. Talks to anything that speaks them, the
 * embedded store included. An abort by the caller's signal rejects with the signal's reason.
 *
 * @throws {InvalidCloudinaryUrl}
 */
export function createCloudinaryStore(options: CloudinaryStoreOptions): CloudinaryStore {
  const account = parseCloudinaryUrl(options.url);
  const now = options.now ?? Date.now;
  const timeoutMs = options.timeoutMs ?? 120_000;
  const uploads = options.uploads ?? 10;
  const client = new ApiClient({
    prefix: options.uploadPrefix === undefined ? account.uploadPrefix : apiHost(options.uploadPrefix),
    timeoutMs,
    // A few more than uploads, so that questions need not wait for the end of an upload.
    connections: uploads + 4,
  });
  const api = new AccountApi(account, options.authentication ?? defaultAuthentication(account), client, now);
  const reader = new CopyReader(timeoutMs, 64);
  const host = deliveryHost(account, options.deliveryPrefix);
  const limits = new PlanLimitsMemory(async () => {
    const usage = await api.read('usage', AbortSignal.timeout(limitsTimeoutMs));
    return usage === undefined ? {} : readLimits(usage);
  }, now);
  const driver = new Driver(api, account, limits, {
    chunks: {
      chunkBytes: Math.max(options.chunkBytes ?? 20_000_000, smallestChunk),
      retryDelaysMs: options.chunkRetryDelaysMs ?? [500, 2000, 8000],
      longestPauseMs: 60_000,
    },
    polling: options.polling ?? { firstIntervalMs: 2000, longestIntervalMs: 30_000, looks: 40 },
  });
  return {
    upload: (request) => driver.upload(request),
    describe: (identity) => driver.describe(identity),
    remove: (identity) => driver.remove(identity),
    open: (copy, request) => reader.open(copyUrl(account, host, copy), request),
    isDelivered: (copy) => reader.isThere(copyUrl(account, host, copy)),
    deliveryUrl: (copy, urlOptions) => copyUrl(account, host, copy, urlOptions),
    limits: () => limits.get(),
    ping: () => api.ping(),
    close: async () => {
      await Promise.all([client.close(), reader.close()]);
    },
  };
}

class Driver {
  readonly #api: AccountApi;
  readonly #account: CloudinaryAccount;
  readonly #limits: PlanLimitsMemory;
  readonly #rules: { readonly chunks: ChunkRules; readonly polling: PollRules };

  constructor(
    api: AccountApi,
    account: CloudinaryAccount,
    limits: PlanLimitsMemory,
    rules: { readonly chunks: ChunkRules; readonly polling: PollRules },
  ) {
    this.#api = api;
    this.#account = account;
    this.#limits = limits;
    this.#rules = rules;
  }

  async upload(request: UploadRequest): Promise<UploadResult> {
    if (request.source.length !== undefined) checkLimits(await this.#limits.get(), request);
    const before = await this.#versionBefore(request);
    const answer = await this.#send(request);
    if (isPending(answer)) {
      const stored = await awaitPending(answer, request, before, (id) => this.describe(id), this.#rules.polling);
      return { ...stored, existing: false };
    }
    return { ...withMd5(this.#readSigned(answer)), existing: answer.json?.existing === true };
  }

  async describe(identity: StoreIdentity): Promise<StoredAsset | undefined> {
    const { resourceType, deliveryType, publicId } = identity;
    const path = `resources/${resourceType}/${deliveryType}/${encodeURIComponent(publicId.toWellFormed())}`;
    const answer = await this.#api.read(path);
    // With backups, a deleted asset leaves a placeholder behind (contract §9).
    if (answer?.json === undefined || answer.json.placeholder === true) return undefined;
    const asset = readAsset(answer.json);
    // The Admin API need not tell the digest; the Upload API does, and changes nothing when asked to.
    return asset.md5 === undefined ? this.#explicit(identity) : withMd5(asset);
  }

  async remove(identity: StoreIdentity): Promise<boolean> {
    const answer = await this.#api.manage({
      path: `${identity.resourceType}/destroy`,
      parameters: { public_id: identity.publicId, type: identity.deliveryType, invalidate: true },
      repeatable: true,
    });
    return answer.json?.result === 'ok';
  }

  async #send(request: UploadRequest): Promise<StoreAnswer> {
    const { source } = request;
    if (source.kind === 'remote-url') return uploadUrl(this.#api, request, source.url);
    const { length } = source;
    if (length !== undefined && length <= this.#rules.chunks.chunkBytes) {
      return uploadWhole(this.#api, request, { filename: source.filename, length, open: () => source.open(0) });
    }
    try {
      return await uploadInChunks(this.#api, request, source, this.#rules.chunks);
    } catch (error) {
      // Half a file under this public ID would be taken for the copy by the next upload without overwrite.
      if (error instanceof StoredInPart) await this.remove(readAsset(error.result.json ?? {})).catch(() => false);
      throw error;
    }
  }

  /** Only where it is needed: an upload in the background that replaces is done when the version has changed. */
  async #versionBefore({ target, options }: UploadRequest): Promise<number | undefined> {
    if (!options.async || !options.overwrite || target.resourceType === 'auto') return undefined;
    return (await this.describe({ ...target, resourceType: target.resourceType }))?.version;
  }

  async #explicit(identity: StoreIdentity): Promise<StoredAsset> {
    const answer = await this.#api.manage({
      path: `${identity.resourceType}/explicit`,
      parameters: { public_id: identity.publicId, type: identity.deliveryType },
      repeatable: true,
    });
    return withMd5(this.#readSigned(answer));
  }

  #readSigned(answer: StoreAnswer): PartialAsset {
    const asset = readAsset(answer.json ?? {});
    checkSignature(answer, asset, this.#account.apiSecret);
    return asset;
  }
}
