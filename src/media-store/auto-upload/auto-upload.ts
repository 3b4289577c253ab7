import type { DeliveryType, ResourceType } from '../../asset/record.ts';
import { encodePublicId } from '../../cloudinary/delivery-url.ts';
import type { Asset } from '../index/asset.ts';
import type { SettingsTable } from '../index/settings-table.ts';
import type { Completion } from '../upload/completion.ts';
import type { Field } from '../upload/intake/submission.ts';
import { readUploadParameters } from '../upload/parameters.ts';
import { type UploadPreset, withPreset } from '../upload/preset.ts';
import { requireValidPublicId } from '../upload/public-id.ts';
import type { Uploader } from '../upload/uploader.ts';
import type { UploadMapping } from './upload-mapping.ts';
import { findMapping } from './upload-mapping.ts';

/** What a delivery URL asks for that is not stored. */
export interface MissingAsset {
  readonly resourceType: ResourceType;
  readonly deliveryType: DeliveryType;
  readonly publicId: string;
  /** Extension of the URL; part of the source's name. */
  readonly format?: string;
}

/** Pulls an asset from its mapped origin when it is asked for the first time (contract §8.2). */
export class AutoUpload {
  readonly #mappings: SettingsTable<UploadMapping>;
  readonly #presets: SettingsTable<UploadPreset>;
  readonly #uploader: Uploader;
  readonly #completion: Completion;
  /** One pull for each source, however many ask. */
  readonly #inFlight = new Map<string, Promise<Asset>>();

  constructor(parts: {
    readonly mappings: SettingsTable<UploadMapping>;
    readonly presets: SettingsTable<UploadPreset>;
    readonly uploader: Uploader;
    readonly completion: Completion;
  }) {
    this.#mappings = parts.mappings;
    this.#presets = parts.presets;
    this.#uploader = parts.uploader;
    this.#completion = parts.completion;
  }

  /**
   * The asset, stored now; undefined when no mapping holds it.
   *
   * @throws {StoreError} what the origin answered, in Cloudinary's words
   */
  async pull(missing: MissingAsset): Promise<Asset | undefined> {
    const { resourceType, deliveryType, publicId, format } = missing;
    const path = format === undefined ? publicId : `${publicId}.${format}`;
    const found = findMapping(this.#mappings.list(), path);
    if (found === undefined) return undefined;
    // Before anything is asked for: a path with `..` would leave the template.
    requireValidPublicId(path);
    const flight = JSON.stringify([resourceType, deliveryType, publicId]);
    const running = this.#inFlight.get(flight);
    if (running !== undefined) return running;
    const pulled = this.#store(missing, `${found.mapping.template}${encodePublicId(found.rest)}`, found.mapping.folder);
    this.#inFlight.set(flight, pulled);
    return pulled.finally(() => this.#inFlight.delete(flight));
  }

  async #store({ resourceType, deliveryType, publicId }: MissingAsset, source: string, folder: string): Promise<Asset> {
    // The preset named like the folder applies, but not to where the asset stands.
    const preset = withPreset(new Map(), this.#presets.get(folder), false);
    const where = ['folder', 'public_id_prefix', 'async'];
    const fields = new Map<string, Field>([...preset].filter(([name]) => !where.includes(name)));
    fields.set('public_id', publicId).set('type', deliveryType).set('overwrite', '0');
    const parameters = readUploadParameters(fields);
    const outcome = await this.#uploader.upload({
      file: { kind: 'reference', text: source },
      resourceType,
      parameters,
    });
    await this.#completion.complete(outcome, parameters);
    return outcome.asset;
  }
}
