import type { DeliveryType } from '../../asset/record.ts';
import type { ExtraAnalysis } from '../analysis/read-extra.ts';
import { isDeliveryType } from '../index/asset.ts';
import { StoreError } from '../store-error.ts';
import type { Fields } from './intake/submission.ts';
import { flagOf, listOf, pairsOf, textOf } from './parameter-values.ts';

/** The upload parameters that the store understands (contract §2.5), with their defaults in place. */
export interface UploadParameters {
  readonly type: DeliveryType;
  readonly publicId?: string;
  readonly publicIdPrefix?: string;
  readonly folder?: string;
  readonly assetFolder?: string;
  readonly displayName?: string;
  readonly useFilename: boolean;
  readonly uniqueFilename: boolean;
  readonly useFilenameAsDisplayName: boolean;
  readonly useAssetFolderAsPublicIdPrefix: boolean;
  readonly filenameOverride?: string;
  readonly discardOriginalFilename: boolean;
  readonly overwrite: boolean;
  readonly async: boolean;
  readonly tags: readonly string[];
  readonly context: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly moderation: readonly { readonly kind: string; readonly status: string }[];
  readonly allowedFormats: readonly string[];
  readonly format?: string;
  /** Applied before storing. */
  readonly transformation?: string;
  readonly eager: readonly string[];
  readonly eagerAsync: boolean;
  readonly eagerNotificationUrl?: string;
  readonly notificationUrl?: string;
  readonly analysis: ExtraAnalysis;
}

const understood = new Set([
  'type',
  'public_id',
  'public_id_prefix',
  'folder',
  'asset_folder',
  'display_name',
  'use_filename',
  'unique_filename',
  'use_filename_as_display_name',
  'use_asset_folder_as_public_id_prefix',
  'filename_override',
  'discard_original_filename',
  'overwrite',
  'async',
  'tags',
  'context',
  'metadata',
  'headers',
  'moderation',
  'allowed_formats',
  'format',
  'transformation',
  'eager',
  'eager_async',
  'eager_notification_url',
  'notification_url',
  'colors',
  'phash',
  'image_metadata',
  'media_metadata',
  'exif',
  // The envelope.
  'timestamp',
  'api_key',
  'signature',
  'resource_type',
  'cloud_name',
  'upload_preset',
  'x_unique_upload_id',
  // Of no effect here: there is no CDN in front that holds copies, no second place for a backup, and no record of where
  // an upload came from.
  'invalidate',
  'backup',
  'source',
]);

/**
 * Refuses what the store does not support, naming each parameter. One that is switched off is no demand.
 *
 * @throws {StoreError} 400
 */
export function requireSupported(fields: Fields, supported: ReadonlySet<string> = understood): void {
  const unsupported = [...fields]
    .filter(([name, value]) => !supported.has(name) && !isOff(value))
    .map(([name]) => name);
  if (unsupported.length > 0) {
    throw new StoreError(400, `Unsupported parameter - ${unsupported.join(', ')}: not supported by the embedded store`);
  }
}

function isOff(value: unknown): boolean {
  return value === '' || value === '0' || value === 'false';
}

/** @throws {StoreError} 400 */
export function readUploadParameters(fields: Fields): UploadParameters {
  requireSupported(fields);
  const type = textOf(fields, 'type') ?? 'upload';
  if (!isDeliveryType(type)) throw new StoreError(400, `Invalid type - ${type}`);
  return {
    type,
    ...optional('publicId', textOf(fields, 'public_id')),
    ...optional('publicIdPrefix', textOf(fields, 'public_id_prefix')),
    ...optional('folder', textOf(fields, 'folder')),
    ...optional('assetFolder', textOf(fields, 'asset_folder')),
    ...optional('displayName', displayNameOf(fields)),
    useFilename: flagOf(fields, 'use_filename'),
    uniqueFilename: flagOf(fields, 'unique_filename', true),
    useFilenameAsDisplayName: flagOf(fields, 'use_filename_as_display_name'),
    useAssetFolderAsPublicIdPrefix: flagOf(fields, 'use_asset_folder_as_public_id_prefix'),
    ...optional('filenameOverride', textOf(fields, 'filename_override')),
    discardOriginalFilename: flagOf(fields, 'discard_original_filename'),
    overwrite: flagOf(fields, 'overwrite', true),
    async: flagOf(fields, 'async'),
    tags: listOf(fields, 'tags'),
    context: pairsOf(fields, 'context'),
    metadata: metadataOf(fields),
    headers: headersOf(fields),
    moderation: moderationOf(fields),
    allowedFormats: listOf(fields, 'allowed_formats').map((format) => format.toLowerCase()),
    ...optional('format', textOf(fields, 'format')?.toLowerCase()),
    ...optional('transformation', textOf(fields, 'transformation')),
    eager: eagerOf(fields),
    eagerAsync: flagOf(fields, 'eager_async'),
    ...optional('eagerNotificationUrl', textOf(fields, 'eager_notification_url')),
    ...optional('notificationUrl', textOf(fields, 'notification_url')),
    analysis: analysisOf(fields),
  };
}

function optional<Name extends string, Value>(name: Name, value: Value | undefined): { [key in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { [key in Name]: Value });
}

function displayNameOf(fields: Fields): string | undefined {
  const name = textOf(fields, 'display_name');
  if (name !== undefined && (name.length > 255 || name.includes('/'))) {
    throw new StoreError(400, 'Invalid value for parameter - display_name: at most 255 characters and no slash');
  }
  return name;
}

/** Values written as JSON lists are lists. */
function metadataOf(fields: Fields): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(pairsOf(fields, 'metadata')).map(([key, value]) => {
      if (!value.startsWith('[')) return [key, value];
      try {
        return [key, JSON.parse(value)];
      } catch {
        throw new StoreError(400, `Invalid value for parameter - metadata: ${key} is not a JSON list`);
      }
    }),
  );
}

/** The only headers that Cloudinary delivers for an uploader. */
const deliverable = new Map(['Link', 'Authorization', 'X-Robots-Tag'].map((name) => [name.toLowerCase(), name]));

/** `Name: value` a line. */
function headersOf(fields: Fields): Record<string, string> {
  const lines = (textOf(fields, 'headers') ?? '').split(/\r?\n/).filter((line) => line.trim() !== '');
  return Object.fromEntries(
    lines.map((line) => {
      const [, given = '', text = ''] = /^([A-Za-z-]+)\s*:(.*)$/.exec(line.trim()) ?? [];
      const value = text.trim();
      const name = deliverable.get(given.toLowerCase());
      if (name === undefined || !/^[\x20-\x7e]*$/.test(value)) {
        throw new StoreError(
          400,
          `Invalid value for parameter - headers: ${[...deliverable.values()].join(', ')} only`,
        );
      }
      return [name, value];
    }),
  );
}

function moderationOf(fields: Fields): readonly { readonly kind: string; readonly status: string }[] {
  const kinds = (textOf(fields, 'moderation') ?? '').split('|').filter((kind) => kind !== '');
  return kinds.map((kind) => {
    if (kind !== 'manual') throw new StoreError(400, `Moderation ${kind} moderation is not valid`);
    return { kind, status: 'pending' };
  });
}

export function analysisOf(fields: Fields): ExtraAnalysis {
  const names = ['image_metadata', 'media_metadata', 'exif'] as const;
  return {
    colors: flagOf(fields, 'colors'),
    phash: flagOf(fields, 'phash'),
    metadata: names.filter((name) => flagOf(fields, name)),
  };
}

/** Pipe-separated, or repeated. */
function eagerOf(fields: Fields): readonly string[] {
  const field = fields.get('eager') ?? [];
  return (typeof field === 'string' ? field.split('|') : field).filter((item) => item !== '');
}
