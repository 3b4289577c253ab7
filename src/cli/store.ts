import { type Command, InvalidArgumentError } from 'commander';
import { listenAddress } from '../config/values.ts';
import { createLog } from '../server/log.ts';
import { reportBugs, stopSignal } from '../server/shutdown.ts';
import { embeddedCloudName, startEmbeddedStore } from './embedded-store.ts';

interface StoreOptions {
  readonly listen: { readonly host: string; readonly port: number };
  readonly dir: string;
  readonly publicUrl?: string;
  readonly allowPrivate: boolean;
}

/** `lazyferry store`: the embedded media store alone, a local Cloudinary for development and tests. */
export function registerStore(program: Command): void {
  program
    .command('store')
    .description('run the embedded media store alone: a local Cloudinary that SDKs can be pointed at')
    .option('-l, --listen <host:port>', 'where it listens', address, { host: '127.0.0.1', port: 8090 })
    .option('-d, --dir <path>', 'where it keeps its files', 'data/store')
    .option('--public-url <url>', 'what delivery URLs begin with')
    .option('--allow-private', 'let remote URLs lie in private networks', false)
    .action(async ({ listen, dir, publicUrl, allowPrivate }: StoreOptions) => {
      let secret: string | undefined;
      const log = createLog({
        level: 'info',
        redact: (text) => (secret === undefined ? text : text.replaceAll(secret, '[redacted]')),
      });
      reportBugs(log);
      const { store, account } = await startEmbeddedStore(
        { embedded: { listen, dir }, deliveryPrefix: publicUrl },
        allowPrivate,
        log,
      );
      secret = new URL(account.url).password;
      log.info({ event: 'ready', store: store.url }, 'ready');
      // For people only: the secret is theirs, and logs are read by machines that keep them.
      if (process.stderr.isTTY) {
        process.stderr.write(
          `\nCLOUDINARY_URL='${account.url}?upload_prefix=${store.url}'\ncloud name: ${embeddedCloudName}\n\n`,
        );
      }
      await stopSignal();
      await store.close();
      log.info({ event: 'stopped' }, 'stopped');
    });
}

function address(value: string): { host: string; port: number } {
  const result = listenAddress.safeParse(value);
  if (!result.success) throw new InvalidArgumentError('write host:port, such as 127.0.0.1:8090');
  return result.data;
}
