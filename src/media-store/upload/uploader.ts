import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import type { ResourceType } from '../../asset/record.ts';
import { type Analysis, analyse } from '../analysis/analysis.ts';
import type { DecoderPool } from '../decoding/decoder-pool.ts';
import type { Library, StoreOutcome } from '../files/library.ts';
import type { StagedFile, Staging } from '../files/staging.ts';
import type { Asset } from '../index/asset.ts';
import type { Settings } from '../options.ts';
import type { Outbound } from '../outbound.ts';
import { StoreError } from '../store-error.ts';
import type { Transformer } from '../transformation/transformer.ts';
import { parseEagerItem } from './eager-item.ts';
import { fileTooLarge, maxBytesOf, requireWithinLimits } from './file-limits.ts';
import type { SubmittedFile } from './intake/submission.ts';
import type { UploadParameters } from './parameters.ts';
import { choosePublicId, requireValidPublicId, splitFilename } from './public-id.ts';
import { receiveFile } from './upload-file.ts';

export interface UploadTask {
  readonly file: SubmittedFile | undefined;
  readonly resourceType: ResourceType | 'auto';
  readonly parameters: UploadParameters;
}

export interface UploaderParts {
  readonly library: Library;
  readonly staging: Staging;
  readonly outbound: Outbound;
  readonly decoders: DecoderPool;
  readonly transformer: Transformer;
  readonly settings: Settings;
}

/** The way of one file: receive → analyse → limits → name → store. */
export class Uploader {
  readonly #library: Library;
  readonly #staging: Staging;
  readonly #outbound: Outbound;
  readonly #decoders: DecoderPool;
  readonly #transformer: Transformer;
  readonly #settings: Settings;

  constructor(parts: UploaderParts) {
    this.#library = parts.library;
    this.#staging = parts.staging;
    this.#outbound = parts.outbound;
    this.#decoders = parts.decoders;
    this.#transformer = parts.transformer;
    this.#settings = parts.settings;
  }

  /**
   * What an upload with `overwrite=false` finds before a byte is moved: with a stated type and public ID the identity
   * is known. With `auto` the content decides it, so there is nothing to find yet.
   */
  existing(task: UploadTask): Asset | undefined {
    const { parameters, resourceType } = task;
    if (parameters.overwrite || parameters.publicId === undefined || resourceType === 'auto') return undefined;
    const publicId = this.#publicId(parameters, resourceType, '');
    return this.#library.index.get({ resourceType, deliveryType: parameters.type, publicId });
  }

  /**
   * Refuses names and transformations that can never be, before anything is fetched or stored.
   *
   * @throws {StoreError} 400
   */
  requireMakeable({ publicId, transformation, eager }: UploadParameters): void {
    if (publicId !== undefined) requireValidPublicId(publicId);
    if (transformation !== undefined) this.#transformer.requireValid(transformation);
    for (const item of eager) this.#transformer.requireValid(parseEagerItem(item).transformation);
  }

  /** How large a file of this type may be. */
  requireSize(resourceType: ResourceType | 'auto', bytes: number): void {
    const limit = maxBytesOf(resourceType, this.#settings.limits);
    if (bytes > limit) throw fileTooLarge(bytes, limit);
  }

  /** Stores the file. Whatever happens, no staged file is left. */
  async upload(task: UploadTask): Promise<StoreOutcome> {
    const { staged, filename } = await receiveFile(task.file, task.resourceType, {
      staging: this.#staging,
      outbound: this.#outbound,
      settings: this.#settings,
    });
    try {
      const name = task.parameters.filenameOverride ?? filename;
      const analysis = await analyse(staged, task.resourceType, this.#decoders);
      requireAllowedFormat(analysis, name, task.parameters);
      requireWithinLimits({ ...analysis, bytes: staged.bytes }, this.#settings.limits);
      const converted = await this.#convert(staged, analysis, task.parameters);
      if (converted === undefined) return await this.#store(staged, analysis, name, task.parameters);
      const result = await analyse(converted, analysis.resourceType, this.#decoders);
      return await this.#store(converted, result, name, task.parameters);
    } finally {
      await this.#staging.discard(staged);
    }
  }

  /** The incoming transformation: what is stored is its result. Undefined where none is asked for. */
  async #convert(
    staged: StagedFile,
    { format, resourceType }: Analysis,
    parameters: UploadParameters,
  ): Promise<StagedFile | undefined> {
    const { transformation = '', format: wanted } = parameters;
    if (transformation === '' && (wanted === undefined || wanted === format)) return undefined;
    if (resourceType !== 'image') {
      throw new StoreError(
        400,
        `Unsupported transformation - ${transformation || `f_${wanted}`}: of a ${resourceType} file`,
      );
    }
    const { data } = await this.#transformer.convert({ path: staged.path, format }, transformation, wanted);
    return this.#staging.write(Readable.from([data]), this.#settings.limits.imageBytes);
  }

  async #store(
    staged: StagedFile,
    analysis: Analysis,
    filename: string,
    parameters: UploadParameters,
  ): Promise<StoreOutcome> {
    const publicId = this.#publicId(parameters, analysis.resourceType, filename);
    requireValidPublicId(publicId);
    const identity = { resourceType: analysis.resourceType, deliveryType: parameters.type, publicId };
    const now = this.#settings.clock();
    return this.#library.store(staged, identity, (present) => {
      if (present !== undefined && !parameters.overwrite) return present;
      return {
        ...identity,
        assetId: present?.assetId ?? randomHex(),
        versionId: randomHex(),
        version: Math.max(Math.floor(now / 1000), (present?.version ?? 0) + 1),
        createdAt: now,
        sha256: staged.sha256,
        md5: staged.md5,
        bytes: staged.bytes,
        format: analysis.format,
        facts: analysis.facts,
        ...(!parameters.discardOriginalFilename &&
          filename !== '' && { originalFilename: splitFilename(filename).name }),
        assetFolder: parameters.assetFolder ?? parameters.folder ?? '',
        displayName: displayName(publicId, filename, parameters),
        tags: parameters.tags,
        context: parameters.context,
        metadata: parameters.metadata,
        headers: parameters.headers,
        moderation: parameters.moderation,
        eager: parameters.eager,
      };
    });
  }

  #publicId(parameters: UploadParameters, resourceType: ResourceType, filename: string): string {
    const prefix =
      parameters.publicIdPrefix ?? (parameters.useAssetFolderAsPublicIdPrefix ? parameters.assetFolder : undefined);
    return choosePublicId({
      ...(parameters.publicId !== undefined && { publicId: parameters.publicId }),
      ...(parameters.folder !== undefined && { folder: parameters.folder }),
      ...(prefix !== undefined && { publicIdPrefix: prefix }),
      useFilename: parameters.useFilename,
      uniqueFilename: parameters.uniqueFilename,
      filename,
      resourceType,
    });
  }
}

function displayName(publicId: string, filename: string, parameters: UploadParameters): string {
  if (parameters.displayName !== undefined) return parameters.displayName;
  if (parameters.useFilenameAsDisplayName && filename !== '') return splitFilename(filename).name;
  return publicId.split('/').at(-1) ?? publicId;
}

function requireAllowedFormat(analysis: Analysis, filename: string, parameters: UploadParameters): void {
  // With `format` another format is converted instead (contract §2.5, allowed_formats).
  if (parameters.allowedFormats.length === 0 || parameters.format !== undefined) return;
  const format = analysis.format === '' ? splitFilename(filename).extension : analysis.format;
  const allowed = parameters.allowedFormats.map((name) => (name === 'jpeg' ? 'jpg' : name));
  if (allowed.includes(format)) return;
  const kind = analysis.resourceType.charAt(0).toUpperCase() + analysis.resourceType.slice(1);
  throw new StoreError(400, `${kind} file format ${format === '' ? 'unknown' : format} not allowed`);
}

export function randomHex(): string {
  return randomBytes(16).toString('hex');
}
