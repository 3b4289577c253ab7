import { LRUCache } from 'lru-cache';
import { isDecodable } from '../analysis/decodable.ts';
import type { DecoderPool } from '../decoding/decoder-pool.ts';
import { DecodingStopped } from '../decoding/decoder-process.ts';
import { contentTypeOf } from '../delivery/content-type.ts';
import { type DerivedFile, DerivedFiles } from '../files/derived-files.ts';
import type { Library } from '../files/library.ts';
import type { Asset } from '../index/asset.ts';
import type { Settings } from '../options.ts';
import { StoreError } from '../store-error.ts';
import type { Transformation } from './component.ts';
import type { Size } from './geometry.ts';
import { expandNamed, parseTransformation } from './parse.ts';
import type { Rendered, RenderSource } from './render.ts';
import { automaticFormat, qualityOf, requireEncodable, type TargetFormat } from './target-format.ts';

/** As many as a free account of Cloudinary's may have. A picture of this size takes up to 600 MB while it is drawn. */
const MOST_OUTPUT_PIXELS = 25e6;
/** Pictures that could not be drawn: asking again costs nothing for a while. */
const REMEMBERED_REFUSALS = { max: 1_000, ttl: 600e3 };

export interface Derivation {
  /** As in the URL: `c_fill,w_300/e_grayscale`. */
  readonly transformation: string;
  /** By the URL's extension. */
  readonly format?: string;
  /** The request's `Accept`, for `f_auto`. */
  readonly accept: string;
}

export interface DerivedPicture {
  readonly file: DerivedFile;
  readonly format: string;
  /** Another client may get another format under the same URL. */
  readonly variesByAccept: boolean;
}

/** Makes derived pictures, each once, and keeps them. */
export class Transformer {
  readonly #library: Library;
  readonly #derived: DerivedFiles;
  readonly #settings: Settings;
  readonly #definitionOf: (name: string) => string | undefined;
  readonly #decoders: DecoderPool;
  readonly #refused = new LRUCache<string, StoreError>(REMEMBERED_REFUSALS);
  readonly #inFlight = new Map<string, Promise<DerivedFile>>();

  constructor(parts: {
    readonly library: Library;
    readonly derived: DerivedFiles;
    readonly decoders: DecoderPool;
    readonly settings: Settings;
    readonly definitionOf: (name: string) => string | undefined;
  }) {
    this.#library = parts.library;
    this.#derived = parts.derived;
    this.#decoders = parts.decoders;
    this.#settings = parts.settings;
    this.#definitionOf = parts.definitionOf;
  }

  /** @throws {StoreError} 400 for a transformation that is wrong, unknown or not supported */
  requireValid(transformation: string): void {
    parseTransformation(expandNamed(transformation, this.#definitionOf));
  }

  /**
   * The derived picture, or undefined where the asset is to be delivered as it is stored: no other format is asked
   * for, or nothing but `f_auto` and `q_auto` of a video, document or drawing, for which they mean nothing here, or of
   * a picture that cannot be drawn.
   *
   * @throws {StoreError} 400
   */
  async derive(asset: Asset, derivation: Derivation): Promise<DerivedPicture | undefined> {
    const expanded = expandNamed(derivation.transformation, this.#definitionOf);
    const wanted = parseTransformation(expanded);
    const format = wanted.format ?? derivation.format ?? asset.format;
    const changesNothing = isPlain(wanted);
    if (changesNothing && wanted.quality === undefined && sameFormat(format, asset.format)) return undefined;
    const keepsFormat = format === 'auto' || sameFormat(format, asset.format);
    const isAutomaticOnly = changesNothing && keepsFormat && typeof wanted.quality !== 'number';
    if (asset.resourceType !== 'image' || !isDecodable(asset.format)) {
      if (isAutomaticOnly) return undefined;
      const what = [derivation.transformation, derivation.format].filter((part) => part).join(' to ');
      throw new StoreError(
        400,
        `Unsupported transformation - ${what}: ${asset.format || asset.resourceType} is delivered as stored`,
      );
    }
    if (asset.format === 'svg' && changesNothing && keepsFormat) return undefined;

    const pages = asset.facts.pages ?? 1;
    const source = { path: this.#library.blobPath(asset), format: asset.format, pages };
    const chosen = format === 'auto' ? automaticFormat(derivation.accept, source) : drawnFormat(format);
    const target = { format: chosen, quality: qualityOf(wanted.quality, chosen) };
    const file = await this.#once(asset.sha256, source, expanded, wanted, target).catch((error: unknown) => {
      if (isAutomaticOnly && error instanceof StoreError && error.status === 400) return undefined;
      throw error;
    });
    if (file === undefined) return undefined;
    return { file, format: chosen, variesByAccept: format === 'auto' };
  }

  /** Transforms bytes that are not stored yet: an upload's incoming transformation. */
  async convert(
    file: { readonly path: string; readonly format: string },
    transformation: string,
    format: string | undefined,
  ): Promise<Rendered & { readonly format: string }> {
    if (!isDecodable(file.format)) {
      throw new StoreError(400, `Unsupported transformation - ${transformation}: of ${file.format || 'this file'}`);
    }
    const wanted = parseTransformation(expandNamed(transformation, this.#definitionOf));
    const named = format ?? wanted.format;
    const chosen = named === undefined || named === 'auto' ? drawnFormat(file.format) : requireEncodable(named);
    const target = { format: chosen, quality: qualityOf(wanted.quality, chosen) };
    const pages = (await this.#decoders.run('analyseImage', file.path, file.format))?.pages ?? 1;
    const rendered = await this.#render({ ...file, pages }, wanted, target);
    return { ...rendered, format: chosen };
  }

  /** Of a picture that was derived. */
  async sizeOf({ file, format }: DerivedPicture): Promise<Partial<Size>> {
    const { width, height } = (await this.#decoders.run('analyseImage', file.path, format)) ?? {};
    return { ...(width !== undefined && { width }), ...(height !== undefined && { height }) };
  }

  async #once(
    sha256: string,
    source: RenderSource,
    expanded: string,
    wanted: Transformation,
    target: TargetFormat,
  ): Promise<DerivedFile> {
    const key = DerivedFiles.key(sha256, [expanded, target.format, target.quality]);
    const known = this.#derived.get(key);
    if (known !== undefined) return known;
    const refused = this.#refused.get(key);
    if (refused !== undefined) throw refused;
    const running = this.#inFlight.get(key);
    if (running !== undefined) return running;
    const made = this.#render(source, wanted, target)
      .then(({ data }) => this.#derived.add(key, sha256, contentTypeOf(target.format), data))
      .catch((error: unknown) => {
        if (error instanceof StoreError && error.status === 400) this.#refused.set(key, error);
        throw error;
      })
      .finally(() => this.#inFlight.delete(key));
    this.#inFlight.set(key, made);
    return made;
  }

  async #render(source: RenderSource, wanted: Transformation, target: TargetFormat): Promise<Rendered> {
    const { imagePixels, assetPixels } = this.#settings.limits;
    const limits = { inputPixels: assetPixels, outputPixels: Math.min(imagePixels, MOST_OUTPUT_PIXELS) };
    try {
      return await this.#decoders.run('render', source, wanted, target, limits);
    } catch (error) {
      if (error instanceof DecodingStopped)
        throw new StoreError(400, 'The transformation takes too much time or memory');
      throw error;
    }
  }
}

/** Whether no step changes the picture itself. */
function isPlain({ components }: Transformation): boolean {
  return components.every(
    ({ flips, ignoreOrientation, ...rest }) =>
      flips.length === 0 && !ignoreOrientation && Object.keys(rest).length === 0,
  );
}

function sameFormat(left: string, right: string): boolean {
  const name = (format: string): string =>
    format === 'jpeg' || format === 'jpe' ? 'jpg' : format === 'tif' ? 'tiff' : format;
  return name(left) === name(right);
}

/** A drawing becomes a picture when it is transformed. */
function drawnFormat(format: string): ReturnType<typeof requireEncodable> {
  return format === 'svg' ? 'png' : requireEncodable(format);
}
