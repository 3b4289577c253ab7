import type { ResourceType } from '../asset/record.ts';
import { isFormat } from './format.ts';

/**
 * The grammar of delivery URLs (contract §6), read and written in one place:
 *
 * `[https://host][/cloud]/type/delivery[/s--signature--][/transformation…][/v1234]/source[?query]`
 *
 * Parsing keeps every part as it stands in the URL, percent-encoding included, so that building what was parsed gives
 * the same URL again. {@link publicIdOf} reads the public ID out of it.
 */
export interface DeliveryUrl {
  /** Scheme and host, for example `https://res.cloudinary.com`; empty for a path. */
  readonly origin: string;
  /** Absent where the host alone names the cloud (private CDN). */
  readonly cloud?: string;
  /**
   * `full`: `image/upload/…`; `short`: `iu/…`; `root`: nothing stands for image/upload; `seo`: `images/…/suffix`.
   */
  readonly form: 'full' | 'short' | 'root' | 'seo';
  readonly resourceType: ResourceType;
  /** `upload`, `private`, `authenticated`, or one of the remote ones, such as `fetch`. */
  readonly deliveryType: string;
  /** What stands between `s--` and `--`. */
  readonly signature?: string;
  /** One entry a chained transformation, for example `c_fill,w_300`. */
  readonly transformations: readonly string[];
  /** The digits of the version, leading zeros included. */
  readonly version?: string;
  /** Public ID with its extension, or the remote URL, as it stands in the URL. In an SEO URL without extension. */
  readonly source: string;
  /** The last part of an SEO URL, for example `a-nice-name.jpg`. */
  readonly seoSuffix?: string;
  /** What follows the path, with its `?` or `#`; Cloudinary ignores it. */
  readonly query: string;
}

export type ParsedDeliveryUrl =
  | { readonly ok: true; readonly url: DeliveryUrl }
  /** `problem` says what is not as the grammar wants it. */
  | { readonly ok: false; readonly problem: string };

export interface ParseOptions {
  /**
   * Whether the path begins with the cloud name: always on the shared host, never on a private CDN. `either` tells by
   * where the asset type stands.
   */
  readonly cloud?: 'present' | 'absent' | 'either';
  /** Also accept URLs without asset and delivery type. Then nearly every path is a delivery URL. */
  readonly rootPath?: boolean;
  /**
   * Whether a public ID is known to begin with the part at this index (of the path's parts, encoded). Saves folders such
   * as `fb_x/`, which read as transformations where no version stands before them. Asked for each part that reads so,
   * of which a client may send thousands: it must not look at all that follow.
   */
  readonly isSource?: (parts: readonly string[], at: number) => boolean;
}

const deliveryTypes = new Set([
  'upload',
  'private',
  'authenticated',
  'fetch',
  'sprite',
  'multi',
  'text',
  'list',
  'asset',
  'facebook',
  'twitter',
  'twitter_name',
  'gravatar',
  'youtube',
  'vimeo',
  'hulu',
  'dailymotion',
  'animoto',
  'worldstarhiphop',
  'instagram_name',
  'url2png',
]);

/** The types an SEO word stands for. */
const seoTypes: Readonly<Record<string, readonly [ResourceType, string]>> = {
  images: ['image', 'upload'],
  private_images: ['image', 'private'],
  authenticated_images: ['image', 'authenticated'],
  videos: ['video', 'upload'],
  files: ['raw', 'upload'],
};

const cloudName = /^[A-Za-z0-9_-]+$/;
const signaturePart = /^s--([A-Za-z0-9_-]{8}|[A-Za-z0-9_-]{32})--$/;
const versionPart = /^v(\d+)$/;

/** One to three characters and an underscore, or a variable: Cloudinary takes such a leading part for a transformation. */
const transformationPart = /^(?:[a-z0-9]{1,3}_|\$[A-Za-z][A-Za-z0-9]*_)/;

/** Reads an absolute URL or a path. Never throws. */
export function parseDeliveryUrl(text: string, options: ParseOptions = {}): ParsedDeliveryUrl {
  const match = /^(https?:\/\/[^/?#]+)?\/([^?#]*)([?#].*)?$/is.exec(text);
  if (match === null) return failure('neither an absolute http(s) URL nor a path that begins with /');
  const [, origin = '', path = '', query = ''] = match;
  const parts = path.split('/');

  const head = readHead(parts, options);
  if (typeof head === 'string') return failure(head);

  let next = head.next;
  // The last part (of an SEO URL: the last but one) is always the source, however it looks.
  const last = parts.length - (head.form === 'seo' ? 2 : 1);
  const signature = next < last ? signaturePart.exec(parts[next] ?? '')?.[1] : undefined;
  if (signature !== undefined) next += 1;

  const isSource = (): boolean => options.isSource?.(parts, next) ?? false;
  const transformations: string[] = [];
  while (next < last && transformationPart.test(parts[next] ?? '') && !isSource()) {
    transformations.push(parts[next] ?? '');
    next += 1;
  }
  const version = next < last ? versionPart.exec(parts[next] ?? '')?.[1] : undefined;
  if (version !== undefined) next += 1;

  const rest = parts.slice(next);
  const seoSuffix = head.form === 'seo' ? rest.pop() : undefined;
  const source = rest.join('/');
  if (/^\/*$/.test(source) || seoSuffix === '') {
    return failure(head.form === 'seo' ? 'an SEO URL needs a public ID and a suffix' : 'there is no public ID');
  }
  return {
    ok: true,
    url: {
      origin,
      ...(head.cloud !== undefined && { cloud: head.cloud }),
      form: head.form,
      resourceType: head.resourceType,
      deliveryType: head.deliveryType,
      ...(signature !== undefined && { signature }),
      transformations,
      ...(version !== undefined && { version }),
      source,
      ...(seoSuffix !== undefined && { seoSuffix }),
      query,
    },
  };
}

/**
 * Writes the URL. A `v1` is put in where the source would otherwise be read as a transformation, a version or a
 * signature; that never happens to a parsed URL, unless `isSource` told the parser better.
 */
export function buildDeliveryUrl(url: DeliveryUrl): string {
  const version = url.version ?? (needsVersion(url) ? '1' : undefined);
  const parts = [
    ...(url.cloud === undefined ? [] : [url.cloud]),
    ...typeParts(url),
    ...(url.signature === undefined ? [] : [`s--${url.signature}--`]),
    ...url.transformations,
    ...(version === undefined ? [] : [`v${version}`]),
    url.source,
    ...(url.seoSuffix === undefined ? [] : [url.seoSuffix]),
  ];
  return `${url.origin}/${parts.join('/')}${url.query}`;
}

export interface PublicId {
  /** Decoded; with its extension for raw assets, without for the others. */
  readonly publicId: string;
  /** Format asked for by the extension, as written; absent where there is none, and for raw assets. */
  readonly format?: string;
}

/**
 * The public ID that the URL names. Only an extension that is a format Cloudinary knows is taken off: `photo.final`
 * is a name. For remote types (`fetch`) it is the remote URL.
 */
export function publicIdOf(url: DeliveryUrl): PublicId {
  const isRaw = url.resourceType === 'raw';
  if (url.seoSuffix !== undefined) {
    const publicId = decodePublicId(url.source);
    const format = isRaw ? undefined : splitFormat(url.seoSuffix).format;
    return format === undefined ? { publicId } : { publicId, format };
  }
  const name = decodePublicId(url.source);
  return isRaw || isRemote(url) ? { publicId: name } : splitFormat(name);
}

/** Takes a known format's extension off a name that has more than that. */
function splitFormat(name: string): PublicId {
  const match = /^(.*[^/])\.([A-Za-z0-9]+)$/s.exec(name);
  const [, publicId, format] = match ?? [];
  return publicId === undefined || format === undefined || !isFormat(format)
    ? { publicId: name }
    : { publicId, format };
}

/**
 * Encodes a public ID (and extension) as the SDKs do: `/` and `:` stay. Half characters become U+FFFD.
 */
export function encodePublicId(publicId: string): string {
  return encodeURIComponent(publicId.toWellFormed()).replaceAll('%2F', '/').replaceAll('%3A', ':');
}

/**
 * Decodes the source of a URL to a public ID. A public ID never holds `%`, so an escape that is left after decoding
 * was encoded twice and is decoded again; an escape that decodes to nothing valid stays as it is. Doubled slashes
 * collapse and outer ones go, as the SDKs and Cloudinary do it.
 */
export function decodePublicId(source: string): string {
  let publicId = source;
  for (let round = 0; round < 3; round += 1) {
    const decoded = decodeOnce(publicId);
    if (decoded === publicId) break;
    publicId = decoded;
  }
  return /^[a-z0-9]+:\/\//i.test(publicId) ? publicId : publicId.replace(/\/{2,}/g, '/').replace(/^\/|\/$/g, '');
}

/** What a delivery URL's signature covers: transformations and public ID with extension; see `signDelivery`. */
export function signedPart(url: DeliveryUrl): string {
  const extension = url.seoSuffix === undefined ? undefined : splitFormat(url.seoSuffix).format;
  const source = isRemote(url) ? url.source : encodePublicId(decodePublicId(url.source));
  return [...url.transformations, extension === undefined ? source : `${source}.${extension}`].join('/');
}

function failure(problem: string): ParsedDeliveryUrl {
  return { ok: false, problem };
}

interface Head extends Pick<DeliveryUrl, 'cloud' | 'form' | 'resourceType' | 'deliveryType'> {
  /** Index of the first part that is not read yet. */
  readonly next: number;
}

/** Reads cloud, asset type and delivery type, or says what is wrong. */
function readHead(parts: readonly string[], options: ParseOptions): Head | string {
  const mode = options.cloud ?? 'either';
  if (mode !== 'present') {
    const types = readTypes(parts, 0);
    if (types !== undefined) return types;
    if (mode === 'absent') return options.rootPath ? rootHead(0) : noTypes;
  }
  const cloud = parts[0] ?? '';
  if (!cloudName.test(cloud)) return 'the path does not begin with a cloud name';
  const types = readTypes(parts, 1);
  if (types !== undefined) return { ...types, cloud };
  return options.rootPath ? { ...rootHead(1), cloud } : noTypes;
}

const noTypes = 'there is no asset type and delivery type, such as image/upload';

function rootHead(next: number): Head {
  return { form: 'root', resourceType: 'image', deliveryType: 'upload', next };
}

function readTypes(parts: readonly string[], at: number): Head | undefined {
  const [type = '', delivery = ''] = parts.slice(at);
  if (type === 'iu') return { form: 'short', resourceType: 'image', deliveryType: 'upload', next: at + 1 };
  if (Object.hasOwn(seoTypes, type)) {
    const [resourceType, deliveryType] = seoTypes[type] ?? ['image', 'upload'];
    return { form: 'seo', resourceType, deliveryType, next: at + 1 };
  }
  if ((type === 'image' || type === 'video' || type === 'raw') && deliveryTypes.has(delivery)) {
    return { form: 'full', resourceType: type, deliveryType: delivery, next: at + 2 };
  }
  return undefined;
}

function typeParts(url: DeliveryUrl): readonly string[] {
  switch (url.form) {
    case 'full':
      return [url.resourceType, url.deliveryType];
    case 'short':
      return ['iu'];
    case 'root':
      return [];
    case 'seo': {
      const word = Object.keys(seoTypes).find(
        (key) => seoTypes[key]?.[0] === url.resourceType && seoTypes[key]?.[1] === url.deliveryType,
      );
      if (word === undefined) throw new TypeError(`no SEO form for ${url.resourceType}/${url.deliveryType}`);
      return [word];
    }
  }
}

/** Whether the first part of the source would not be read as one (see `buildDeliveryUrl`). */
function needsVersion(url: DeliveryUrl): boolean {
  const parts = url.source.split('/');
  const [first = ''] = parts;
  const isFirst = url.signature === undefined && url.transformations.length === 0;
  if (isFirst && url.form === 'root' && readTypes(parts, 0) !== undefined) return true;
  if (parts.length < 2) return false;
  return transformationPart.test(first) || versionPart.test(first) || (isFirst && signaturePart.test(first));
}

function isRemote(url: DeliveryUrl): boolean {
  return !['upload', 'private', 'authenticated'].includes(url.deliveryType);
}

/** Decodes each run of escapes that is valid UTF-8; leaves the others. */
function decodeOnce(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (run) => {
    try {
      return decodeURIComponent(run);
    } catch {
      return run;
    }
  });
}
