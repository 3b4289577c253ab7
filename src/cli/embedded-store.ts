import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoreAccount } from '../app.ts';
import type { ResolvedConfig } from '../config/resolved.ts';
import { createMediaStore, type MediaStore } from '../media-store/media-store.ts';
import type { Log } from '../server/log.ts';

/** The cloud name of the embedded store. */
export const embeddedCloudName = 'local';
const apiKey = 'lazyferry';

export interface EmbeddedStore {
  readonly store: MediaStore;
  readonly account: StoreAccount;
}

/**
 * Starts the embedded media store where the configuration names no account. lazyferry talks to it as it talks to
 * Cloudinary: over HTTP, with signed requests.
 *
 * Rejects when the address or the directory is in use.
 */
export async function startEmbeddedStore(
  config: Pick<ResolvedConfig['store'], 'embedded'> & { readonly deliveryPrefix?: string | undefined },
  privateOrigins: boolean | readonly string[],
  log: Pick<Log, 'error'>,
): Promise<EmbeddedStore> {
  const { listen, dir } = config.embedded;
  const apiSecret = await secretOf(dir);
  const store = await createMediaStore(
    {
      dir,
      cloudName: embeddedCloudName,
      apiKey,
      apiSecret,
      allowPrivateOrigins: privateOrigins,
      ...(config.deliveryPrefix === undefined ? {} : { publicUrl: config.deliveryPrefix }),
    },
    log,
  );
  await store.listen(listen);
  return {
    store,
    account: {
      url: `cloudinary://${apiKey}:${apiSecret}@${embeddedCloudName}`,
      uploadPrefix: store.url,
      deliveryPrefix: config.deliveryPrefix ?? store.url,
    },
  };
}

/** What {@link secretOf} makes has 32 characters. */
const shortestSecret = 16;

/**
 * The store's API secret: made once, kept beside its files, readable by their owner only.
 *
 * Rejects where the file holds less than a secret, as after a disk that was full: with an empty one everybody could sign.
 */
async function secretOf(dir: string): Promise<string> {
  const file = join(dir, 'api-secret');
  await mkdir(dir, { recursive: true, mode: 0o700 });
  try {
    await writeFile(file, `${randomBytes(24).toString('base64url')}\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const secret = (await readFile(file, 'utf8')).trim();
  if (secret.length < shortestSecret) {
    throw new Error(
      `${file} holds no secret (${shortestSecret} characters at least): remove it, and a new one is made`,
    );
  }
  return secret;
}
