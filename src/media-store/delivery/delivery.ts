import type { IncomingMessage, ServerResponse } from 'node:http';
import { type DeliveryUrl, parseDeliveryUrl, publicIdOf, signedPart } from '../../cloudinary/delivery-url.ts';
import { verifyDelivery } from '../../cloudinary/signature.ts';
import type { AutoUpload } from '../auto-upload/auto-upload.ts';
import { asStoreError, type ErrorLog } from '../error-response.ts';
import type { Library } from '../files/library.ts';
import { type Asset, isDeliveryType } from '../index/asset.ts';
import type { Settings } from '../options.ts';
import { StoreError } from '../store-error.ts';
import type { DerivedPicture, Transformer } from '../transformation/transformer.ts';
import { contentTypeOf, protectiveHeaders } from './content-type.ts';
import { answerDeliveryError } from './delivery-error.ts';
import { sendFile } from './send-file.ts';

/** Thirty days, as Cloudinary's CDN has it; a URL with a version never changes its content. */
const CACHE_CONTROL = 'public, no-transform, max-age=2592000';

export interface DeliveryParts {
  readonly library: Library;
  readonly transformer: Transformer;
  readonly autoUpload: AutoUpload;
  readonly settings: Settings;
  readonly log: ErrorLog;
}

/** Answers delivery URLs: `/{cloud}/{resource_type}/{type}/…` (contract §6, §7). */
export class Delivery {
  readonly #parts: DeliveryParts;

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader('access-control-allow-origin', '*');
    response.setHeader('access-control-expose-headers', 'X-Cld-Error, Content-Length, Content-Range, ETag');
    response.setHeader('timing-allow-origin', '*');
    try {
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        throw new StoreError(405, 'Method not allowed', { allow: 'GET, HEAD' });
      }
      // An upload may replace the asset between its look-up and the opening of its file: then the new one is there.
      if (!(await this.#deliver(request, response)) && !(await this.#deliver(request, response))) {
        throw new StoreError(404, 'Resource not found');
      }
    } catch (error) {
      const failure = asStoreError(error, this.#parts.log);
      if (response.headersSent) response.destroy();
      else answerDeliveryError(response, failure);
    }
  }

  /** @returns false when the file was gone: nothing was sent */
  async #deliver(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const url = this.#parse(request.url ?? '/');
    this.#requireSignature(url);
    const { asset, format } = await this.#find(url);
    const picture = await this.#parts.transformer.derive(asset, {
      transformation: url.transformations.join('/'),
      ...(format !== undefined && { format }),
      accept: request.headers.accept ?? '',
    });
    if (picture !== undefined) return this.#sendDerived(request, response, asset, picture);
    // A transformation that changes nothing leads to the original, which is private whatever stands in the URL.
    if (url.deliveryType === 'private' && url.signature === undefined) throw unsignedAccess(url);
    return this.#sendOriginal(request, response, asset);
  }

  #parse(path: string): DeliveryUrl {
    const parsed = parseDeliveryUrl(path, { cloud: 'present' });
    if (!parsed.ok) throw new StoreError(404, `Resource not found - ${parsed.problem}`);
    const { url } = parsed;
    if (url.cloud !== this.#parts.settings.cloudName) {
      throw new StoreError(401, `Invalid cloud_name ${url.cloud ?? ''}`);
    }
    if (!isDeliveryType(url.deliveryType)) {
      throw new StoreError(401, `Images of type ${url.deliveryType} are restricted in this account`);
    }
    return url;
  }

  /**
   * Stored, or pulled now by an upload mapping. The extension is a format asked for; where the public ID itself ends
   * that way, it is part of the name.
   */
  async #find(url: DeliveryUrl): Promise<{ readonly asset: Asset; readonly format: string | undefined }> {
    const { publicId, format } = publicIdOf(url);
    const { resourceType, deliveryType } = url;
    if (!isDeliveryType(deliveryType)) throw notFound(publicId);
    const { library, autoUpload } = this.#parts;
    const identity = { resourceType, deliveryType, publicId };
    const asset = library.index.get(identity);
    if (asset !== undefined) return { asset, format: format?.toLowerCase() };
    const whole =
      format === undefined ? undefined : library.index.get({ ...identity, publicId: `${publicId}.${format}` });
    if (whole !== undefined) return { asset: whole, format: undefined };
    const pulled = await autoUpload.pull({ ...identity, ...(format !== undefined && { format }) });
    if (pulled === undefined) throw notFound(publicId);
    return { asset: pulled, format: format?.toLowerCase() };
  }

  #requireSignature(url: DeliveryUrl): void {
    const isDerived = url.transformations.length > 0;
    const isNeeded = url.deliveryType === 'authenticated' || (url.deliveryType === 'private' && !isDerived);
    if (url.signature === undefined) {
      if (isNeeded) throw unsignedAccess(url);
      return;
    }
    if (!verifyDelivery(signedPart(url), url.signature, this.#parts.settings.apiSecret)) {
      throw new StoreError(401, 'Invalid Signature');
    }
  }

  #sendOriginal(request: IncomingMessage, response: ServerResponse, asset: Asset): Promise<boolean> {
    const extension = asset.format === '' ? (asset.publicId.split('.').at(-1) ?? '') : asset.format;
    return sendFile(request, response, {
      path: this.#parts.library.blobPath(asset),
      etag: asset.md5,
      modifiedAt: asset.createdAt,
      headers: headersOf(asset, contentTypeOf(extension)),
    });
  }

  #sendDerived(
    request: IncomingMessage,
    response: ServerResponse,
    asset: Asset,
    { file, variesByAccept }: DerivedPicture,
  ): Promise<boolean> {
    return sendFile(request, response, {
      path: file.path,
      etag: file.key.slice(0, 32),
      modifiedAt: asset.createdAt,
      headers: { ...headersOf(asset, file.contentType), ...(variesByAccept && { vary: 'Accept' }) },
    });
  }
}

function headersOf(asset: Asset, contentType: string): Record<string, string> {
  return {
    'content-type': contentType,
    'cache-control': CACHE_CONTROL,
    ...protectiveHeaders(contentType),
    ...asset.headers,
  };
}

function unsignedAccess(url: DeliveryUrl): StoreError {
  return new StoreError(401, `Unsigned access to ${url.deliveryType} ${publicIdOf(url).publicId}`);
}

function notFound(publicId: string): StoreError {
  return new StoreError(404, `Resource not found - ${publicId}`);
}
