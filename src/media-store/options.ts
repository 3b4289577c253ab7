/** Plan limits, in bytes and pixels; what `usage` reports as `media_limits`. */
export interface MediaLimits {
  readonly imageBytes: number;
  readonly videoBytes: number;
  readonly rawBytes: number;
  readonly imagePixels: number;
  /** Pixels over all frames of an animation. */
  readonly assetPixels: number;
}

export interface MediaStoreOptions {
  /** Where everything is kept. One store per directory. */
  readonly dir: string;
  readonly cloudName: string;
  readonly apiKey: string;
  readonly apiSecret: string;
  /** Tokens accepted as `Authorization: Bearer`. Default: none. */
  readonly bearerTokens?: readonly string[];
  /**
   * Whether remote files and webhooks may lie in private networks: all, or those below one of these URL prefixes.
   * Link-local and metadata addresses are never contacted.
   */
  readonly allowPrivateOrigins: boolean | readonly string[];
  /** What delivery URLs in responses begin with. Default: the URL the store listens on. */
  readonly publicUrl?: string;
  /** Which digest signs responses and webhooks. Default: sha1. */
  readonly signatureAlgorithm?: 'sha1' | 'sha256';
  /** Cloudinary's folder mode of the account. Default: dynamic, as accounts have it since 2024. */
  readonly folderMode?: 'dynamic' | 'fixed';
  readonly limits?: Partial<MediaLimits>;
  /** Most bytes of a file in one request; larger ones come in chunks. Default: 100 MiB. */
  readonly maxRequestBytes?: number;
  /** How long an unfinished chunked upload is kept, in milliseconds. Default: 24 hours. */
  readonly partialUploadTtl?: number;
  /** Bytes of derived images kept on disk; the least used go first. Default: 1 GiB. */
  readonly derivedBytes?: number;
  /** Milliseconds for fetching one remote file. Default: 10 minutes. */
  readonly fetchTimeout?: number;
  /** Admin API calls an hour before 420. Default: 1,000,000. */
  readonly adminCallsPerHour?: number;
  /** Milliseconds since the epoch. Default: the system's clock. */
  readonly clock?: () => number;
}

/** The options with every default in place. */
export interface Settings extends Required<Omit<MediaStoreOptions, 'publicUrl' | 'limits'>> {
  readonly limits: MediaLimits;
}

const defaultLimits: MediaLimits = {
  imageBytes: 100 * 2 ** 20,
  videoBytes: 100e9,
  rawBytes: 100e9,
  imagePixels: 100e6,
  assetPixels: 200e6,
};

export function resolveSettings(options: MediaStoreOptions): Settings {
  return {
    dir: options.dir,
    cloudName: options.cloudName,
    apiKey: options.apiKey,
    apiSecret: options.apiSecret,
    bearerTokens: options.bearerTokens ?? [],
    allowPrivateOrigins: options.allowPrivateOrigins,
    signatureAlgorithm: options.signatureAlgorithm ?? 'sha1',
    folderMode: options.folderMode ?? 'dynamic',
    limits: { ...defaultLimits, ...options.limits },
    maxRequestBytes: options.maxRequestBytes ?? 100 * 2 ** 20,
    partialUploadTtl: options.partialUploadTtl ?? 24 * 3600e3,
    derivedBytes: options.derivedBytes ?? 2 ** 30,
    fetchTimeout: options.fetchTimeout ?? 600e3,
    adminCallsPerHour: options.adminCallsPerHour ?? 1_000_000,
    clock: options.clock ?? Date.now,
  };
}
