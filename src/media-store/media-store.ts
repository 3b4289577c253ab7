import { join } from 'node:path';
import { judgeAddress } from '../origin/address-guard.ts';
import { accountRoutes } from './admin/account-routes.ts';
import { adminRoutes } from './admin/admin-routes.ts';
import { mappingRoutes } from './admin/mapping-routes.ts';
import { presetRoutes } from './admin/preset-routes.ts';
import { HourlyLimit } from './admin/rate-limit.ts';
import { resourceRoutes } from './admin/resource-routes.ts';
import { type NamedTransformation, transformationRoutes } from './admin/transformation-routes.ts';
import { AutoUpload } from './auto-upload/auto-upload.ts';
import type { UploadMapping } from './auto-upload/upload-mapping.ts';
import { Background } from './background.ts';
import { createControlApp } from './control/control-app.ts';
import { Faults } from './control/faults.ts';
import { RequestCounter, type RequestCounts } from './control/request-counts.ts';
import { DecoderPool } from './decoding/decoder-pool.ts';
import { Delivery } from './delivery/delivery.ts';
import type { ErrorLog } from './error-response.ts';
import { BlobStore } from './files/blob-store.ts';
import { DerivedFiles } from './files/derived-files.ts';
import { lockDirectory } from './files/directory-lock.ts';
import { Library } from './files/library.ts';
import { Staging } from './files/staging.ts';
import { AssetIndex } from './index/asset-index.ts';
import { openDatabase } from './index/database.ts';
import { SettingsTable } from './index/settings-table.ts';
import { type Address, Listener } from './listener.ts';
import { Webhooks } from './notification/webhooks.ts';
import { type MediaStoreOptions, resolveSettings } from './options.ts';
import { createOutbound } from './outbound.ts';
import { createServerApp } from './server.ts';
import { Transformer } from './transformation/transformer.ts';
import { changeRoutes, destroy } from './upload/change-routes.ts';
import { PartialUploads } from './upload/chunks/partial-uploads.ts';
import { Completion } from './upload/completion.ts';
import { explicit } from './upload/explicit.ts';
import type { UploadPreset } from './upload/preset.ts';
import { rename } from './upload/rename.ts';
import { AssetResponses } from './upload/response.ts';
import { changeContext, changeTags } from './upload/tag-changes.ts';
import { uploadRoutes } from './upload/upload-routes.ts';
import { Uploader } from './upload/uploader.ts';

export interface MediaStore {
  /** Starts to answer; port 0 takes a free one. */
  listen(address: Address): Promise<void>;
  /** Where it listens, without a slash at the end. */
  readonly url: string;
  /** What goes wrong on purpose: for tests. */
  readonly faults: Faults;
  /** Requests since the start. */
  counts(): RequestCounts;
  /** Another hourly limit of the Admin API from now on. */
  limitAdminCalls(perHour: number): void;
  /**
   * Opens the same three switches to other processes, on a loopback address only.
   *
   * @returns the URL
   */
  listenControl(address: Address): Promise<string>;
  /** Finishes what is under way and gives the directory back. A second call waits for the first. */
  close(): Promise<void>;
}

/** Uploads wait for one another: none is turned away. */
const readingLimits = { most: 2, mostWaiting: Number.POSITIVE_INFINITY, seconds: 10 };
const drawingLimits = { most: 2, mostWaiting: 200, seconds: 20 };

/** Milliseconds between two looks for abandoned chunks. */
const SWEEP_INTERVAL = 600e3;

const silent: ErrorLog = { error: () => {} };

/**
 * The embedded media store: a Cloudinary-compatible server over files on disk.
 *
 * @throws {DirectoryInUse} when another store works on the directory
 */
export async function createMediaStore(options: MediaStoreOptions, log: ErrorLog = silent): Promise<MediaStore> {
  const unlock = lockDirectory(options.dir);
  try {
    return await openStore(options, log, unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

/** Wires the store, from the disk outwards. */
async function openStore(options: MediaStoreOptions, log: ErrorLog, unlock: () => void): Promise<MediaStore> {
  const settings = resolveSettings(options);
  const { dir, clock } = settings;
  const database = openDatabase(join(dir, 'index.db'));
  const presets = new SettingsTable<UploadPreset>(database, 'upload_preset');
  const mappings = new SettingsTable<UploadMapping>(database, 'upload_mapping');
  const named = new SettingsTable<NamedTransformation>(database, 'transformation');

  const staging = await Staging.open(join(dir, 'staging'));
  const blobs = await BlobStore.open(join(dir, 'blobs'));
  const derived = await DerivedFiles.open({
    directory: join(dir, 'derived'),
    database,
    staging,
    limit: settings.derivedBytes,
    clock,
  });
  const partials = await PartialUploads.open({
    directory: join(dir, 'partials'),
    database,
    staging,
    ttl: settings.partialUploadTtl,
    clock,
  });
  const index = new AssetIndex(database);
  const library = new Library({ index, blobs, staging, onBlobRemoved: (sha256) => derived.removeOf(sha256) });
  await library.recover();

  const background = new Background(log);
  const outbound = createOutbound(settings.allowPrivateOrigins);
  const webhooks = new Webhooks({ outbound, background, settings });
  const readers = new DecoderPool(readingLimits);
  const drawing = new DecoderPool(drawingLimits);
  const responses = new AssetResponses(settings, () => options.publicUrl ?? listener.url);
  const transformer = new Transformer({
    library,
    derived,
    decoders: drawing,
    settings,
    definitionOf: (name) => named.get(name)?.definition,
  });
  const uploader = new Uploader({ library, staging, outbound, decoders: readers, transformer, settings });
  const completion = new Completion({ library, decoders: readers, transformer, responses, webhooks, background });
  const autoUpload = new AutoUpload({ mappings, presets, uploader, completion });

  const faults = new Faults();
  const counter = new RequestCounter();
  const limit = new HourlyLimit(settings.adminCallsPerHour, clock);
  const app = createServerApp({
    settings,
    first: [counter.middleware, faults.middleware],
    api: [
      adminRoutes(settings, limit, [
        accountRoutes({ index, settings }),
        resourceRoutes({ library, decoders: readers, responses, staging }),
        presetRoutes(presets, staging),
        mappingRoutes(mappings, staging),
        transformationRoutes(named, staging),
      ]),
      uploadRoutes({ uploader, completion, background, partials, library, staging, presets, responses, settings }),
      changeRoutes(
        { destroy, rename, explicit: explicit(completion), tags: changeTags, context: changeContext },
        { library, staging, responses, settings },
      ),
    ],
    delivery: new Delivery({ library, transformer, autoUpload, settings, log }),
    log,
  });

  const sweeping = setInterval(() => background.start(() => partials.sweep()), SWEEP_INTERVAL).unref();
  const listener = new Listener(app);
  const control = new Listener(createControlApp({ faults, limit, counter }));
  let closed: Promise<void> | undefined;
  return {
    get url() {
      return listener.url;
    },
    faults,
    counts: () => counter.counts(),
    limitAdminCalls: (perHour) => limit.set(perHour),
    async listen(address) {
      await listener.listen(address);
      readers.prepare();
    },
    async listenControl(address) {
      if (judgeAddress(address.host, { allowPrivate: false }) !== 'loopback') {
        throw new TypeError(`the store's switches listen on a loopback address only, not on ${address.host}`);
      }
      await control.listen(address);
      return control.url;
    },
    close: () => (closed ??= close()),
  };

  async function close(): Promise<void> {
    clearInterval(sweeping);
    await Promise.all([listener.close(), control.close()]);
    // Together: background work that waits for the network ends with the connections.
    await Promise.all([background.close(), outbound.close()]);
    readers.close();
    drawing.close();
    database.close();
    unlock();
  }
}
