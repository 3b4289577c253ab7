import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { accountRoutes } from './admin/account-routes.ts';
import { adminRoutes } from './admin/admin-routes.ts';
import { mappingRoutes } from './admin/mapping-routes.ts';
import { presetRoutes } from './admin/preset-routes.ts';
import { HourlyLimit } from './admin/rate-limit.ts';
import { resourceRoutes } from './admin/resource-routes.ts';
import { type NamedTransformation, transformationRoutes } from './admin/transformation-routes.ts';
import type { UploadMapping } from './auto-upload/upload-mapping.ts';
import { Background } from './background.ts';
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
  listen(address: { readonly host: string; readonly port: number }): Promise<void>;
  /** Where it listens, without a slash at the end. */
  readonly url: string;
  /** Finishes what is under way and gives the directory back. A second call waits for the first. */
  close(): Promise<void>;
}

/** Milliseconds for the answers under way when the store closes. */
const CLOSE_GRACE = 5_000;

const silent: ErrorLog = { error: () => {} };

/**
 * The embedded media store: a Cloudinary-compatible server over files on disk.
 *
 * @throws {DirectoryInUse} when another store works on the directory
 */
export async function createMediaStore(options: MediaStoreOptions, log: ErrorLog = silent): Promise<MediaStore> {
  const settings = resolveSettings(options);
  const unlock = lockDirectory(settings.dir);
  const database = openDatabase(join(settings.dir, 'index.db'));
  const staging = await Staging.open(join(settings.dir, 'staging'));
  const derived = await DerivedFiles.open({
    directory: join(settings.dir, 'derived'),
    database,
    staging,
    limit: settings.derivedBytes,
    clock: settings.clock,
  });
  const library = new Library({
    index: new AssetIndex(database),
    blobs: await BlobStore.open(join(settings.dir, 'blobs')),
    staging,
    onBlobRemoved: (sha256) => derived.removeOf(sha256),
  });
  await library.recover();

  let url = '';
  let closed: Promise<void> | undefined;
  const outbound = createOutbound(settings.allowPrivateOrigins);
  const responses = new AssetResponses(settings, () => options.publicUrl ?? url);
  const named = new SettingsTable<NamedTransformation>(database, 'transformation');
  const transformer = new Transformer({
    library,
    derived,
    settings,
    definitionOf: (name) => named.get(name)?.definition,
  });
  const background = new Background(log);
  const webhooks = new Webhooks({ outbound, background, settings });
  const completion = new Completion({ library, transformer, responses, webhooks, background });
  const uploader = new Uploader({ library, staging, outbound, transformer, settings });
  const partials = await PartialUploads.open({
    directory: join(settings.dir, 'partials'),
    database,
    staging,
    ttl: settings.partialUploadTtl,
    clock: settings.clock,
  });
  const presets = new SettingsTable<UploadPreset>(database, 'upload_preset');
  const mappings = new SettingsTable<UploadMapping>(database, 'upload_mapping');
  const adminLimit = new HourlyLimit(settings.adminCallsPerHour, settings.clock);
  const app = createServerApp({
    settings,
    api: [
      adminRoutes(settings, adminLimit, [
        accountRoutes({ index: library.index, settings }),
        resourceRoutes({ library, responses, staging }),
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
    delivery: new Delivery({ library, transformer, settings, log }),
    log,
  });

  const server = createServer({ requestTimeout: 3600e3, headersTimeout: 15e3, keepAliveTimeout: 65e3 }, app);
  return {
    get url() {
      return url;
    },
    listen: ({ host, port }) =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, () => {
          server.off('error', reject);
          const { port: taken } = server.address() as AddressInfo;
          url = `http://${host.includes(':') ? `[${host}]` : host}:${taken}`;
          resolve();
        });
      }),
    close: () => (closed ??= close()),
  };

  async function close(): Promise<void> {
    if (server.listening) {
      const patience = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE);
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      });
      clearTimeout(patience);
    }
    await background.close();
    await outbound.close();
    database.close();
    unlock();
  }
}
