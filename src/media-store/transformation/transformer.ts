import { analyseImage, isDecodable } from '../analysis/image.ts';
import { contentTypeOf } from '../delivery/content-type.ts';
import { type DerivedFile, DerivedFiles } from '../files/derived-files.ts';
import type { Library } from '../files/library.ts';
import type { Asset } from '../index/asset.ts';
import type { Settings } from '../options.ts';
import { StoreError } from '../store-error.ts';
import type { Transformation } from './component.ts';
import { expandNamed, parseTransformation } from './parse.ts';
import { type Rendered, type RenderLimits, type RenderSource, render } from './render.ts';
import { Semaphore } from './semaphore.ts';
import { automaticFormat, qualityOf, requireEncodable, type TargetFormat } from './target-format.ts';

/** Pictures drawn at a time, and waiting. */
const MOST_RUNNING = 2;
const MOST_WAITING = 200;
const SECONDS = 20;
/** A picture of this size takes 200 MB while it is drawn. */
const MOST_OUTPUT_PIXELS = 50e6;

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
  readonly #semaphore = new Semaphore(MOST_RUNNING, MOST_WAITING);
  readonly #inFlight = new Map<string, Promise<DerivedFile>>();

  constructor(parts: {
    readonly library: Library;
    readonly derived: DerivedFiles;
    readonly settings: Settings;
    readonly definitionOf: (name: string) => string | undefined;
  }) {
    this.#library = parts.library;
    this.#derived = parts.derived;
    this.#settings = parts.settings;
    this.#definitionOf = parts.definitionOf;
  }

  /** @throws {StoreError} 400 for a transformation that is wrong, unknown or not supported */
  requireValid(transformation: string): void {
    parseTransformation(expandNamed(transformation, this.#definitionOf));
  }

  /**
   * The derived picture, or undefined where the asset is to be delivered as it is stored: no other format is asked
   * for, or it is a video, document or drawing for which `f_auto` and `q_auto` mean nothing here.
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
    if (asset.resourceType !== 'image' || !isDecodable(asset.format)) {
      const hasAutomaticOnly = changesNothing && keepsFormat && typeof wanted.quality !== 'number';
      if (hasAutomaticOnly) return undefined;
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
    const file = await this.#once(asset.sha256, source, expanded, wanted, target);
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
    const pages = (await analyseImage(file.path, file.format))?.pages ?? 1;
    const rendered = await this.#render({ ...file, pages }, wanted, target);
    return { ...rendered, format: chosen };
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
    const running = this.#inFlight.get(key);
    if (running !== undefined) return running;
    const made = this.#render(source, wanted, target)
      .then(({ data }) => this.#derived.add(key, sha256, contentTypeOf(target.format), data))
      .finally(() => this.#inFlight.delete(key));
    this.#inFlight.set(key, made);
    return made;
  }

  #render(source: RenderSource, wanted: Transformation, target: TargetFormat): Promise<Rendered> {
    const { limits } = this.#settings;
    const renderLimits: RenderLimits = {
      inputPixels: limits.assetPixels,
      outputPixels: Math.min(limits.imagePixels, MOST_OUTPUT_PIXELS),
      seconds: SECONDS,
    };
    return this.#semaphore.run(() => render(source, wanted, target, renderLimits));
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
