import { analyseExtra } from '../analysis/extra.ts';
import type { Background } from '../background.ts';
import type { DecoderPool } from '../decoding/decoder-pool.ts';
import type { Library, StoreOutcome } from '../files/library.ts';
import type { Asset } from '../index/asset.ts';
import type { Webhooks } from '../notification/webhooks.ts';
import type { StoreError } from '../store-error.ts';
import type { Transformer } from '../transformation/transformer.ts';
import { makeEager, pendingEager } from './eager.ts';
import type { UploadParameters } from './parameters.ts';
import type { AssetResponses, Json } from './response.ts';
import { randomHex } from './uploader.ts';

/** What follows when an asset is stored: analysis on request, eager pictures, notifications, and the answer. */
export class Completion {
  readonly #library: Library;
  readonly #decoders: DecoderPool;
  readonly #transformer: Transformer;
  readonly #responses: AssetResponses;
  readonly #webhooks: Webhooks;
  readonly #background: Background;

  constructor(parts: {
    readonly library: Library;
    readonly decoders: DecoderPool;
    readonly transformer: Transformer;
    readonly responses: AssetResponses;
    readonly webhooks: Webhooks;
    readonly background: Background;
  }) {
    this.#library = parts.library;
    this.#decoders = parts.decoders;
    this.#transformer = parts.transformer;
    this.#responses = parts.responses;
    this.#webhooks = parts.webhooks;
    this.#background = parts.background;
  }

  async complete({ asset, kind }: StoreOutcome, parameters: UploadParameters, type = 'upload'): Promise<Json> {
    if (kind === 'kept') return { ...this.#responses.uploaded(asset), existing: true };
    const answer = {
      ...this.#responses.uploaded(asset),
      ...(kind === 'overwritten' && { overwritten: true }),
      ...(await analyseExtra(this.#decoders, this.#library.blobPath(asset), asset, parameters.analysis)),
      ...(await this.#eager(asset, parameters)),
    };
    if (parameters.notificationUrl !== undefined) {
      this.#webhooks.notify(parameters.notificationUrl, {
        notification_type: type,
        request_id: randomHex(),
        ...answer,
      });
    }
    return answer;
  }

  /** Tells the notification URL that an upload which was answered before has failed. */
  report({ notificationUrl }: UploadParameters, batch: string, { status, message }: StoreError): void {
    if (notificationUrl === undefined) return;
    this.#webhooks.notify(notificationUrl, { notification_type: 'error', batch_id: batch, status, error: { message } });
  }

  async #eager(asset: Asset, parameters: UploadParameters): Promise<Json> {
    if (asset.eager.length === 0) return {};
    if (!parameters.eagerAsync) return { eager: await makeEager(asset, this.#transformer, this.#responses) };
    const batch = randomHex();
    const url = parameters.eagerNotificationUrl ?? parameters.notificationUrl;
    this.#background.start(async () => {
      const eager = await makeEager(asset, this.#transformer, this.#responses);
      const { public_id, version, asset_id, resource_type, type } = this.#responses.resource(asset);
      const notification = {
        notification_type: 'eager',
        batch_id: batch,
        public_id,
        version,
        asset_id,
        resource_type,
        type,
        eager,
      };
      if (url !== undefined) this.#webhooks.notify(url, notification);
    });
    return { eager: pendingEager(asset, this.#responses), batch_id: batch };
  }
}
