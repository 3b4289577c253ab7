import { StoreError } from '../store-error.ts';
import type { Fields } from './intake/submission.ts';
import type { UploadPreset } from './preset.ts';

/** The only parameters that an upload without authentication may bring (contract §4). */
const allowed = [
  'upload_preset',
  'callback',
  'public_id',
  'folder',
  'asset_folder',
  'tags',
  'context',
  'metadata',
  'face_coordinates',
  'custom_coordinates',
  'source',
  'filename_override',
  'manifest_transformation',
  'manifest_json',
  'template',
  'template_vars',
  'regions',
  'public_id_prefix',
];

/** Part of the envelope, whoever sends the request. */
const envelope = ['timestamp', 'api_key', 'signature', 'resource_type', 'cloud_name', 'x_unique_upload_id'];

/**
 * Refuses what an unsigned upload may not do: all problems in one message, joined with a comma and a space.
 *
 * @throws {StoreError} 400
 */
export function requireAllowedUnsigned(fields: Fields, preset: UploadPreset | undefined): void {
  const problems = [...fields.keys()]
    .filter((name) => !allowed.includes(name) && !envelope.includes(name))
    .map(
      (name) =>
        `${humanise(name)} parameter is not allowed when using unsigned upload. ` +
        `Only ${allowed.join(',')} upload parameters are allowed.`,
    );
  const named = fields.get('upload_preset');
  if (named === undefined || named === '') {
    problems.push('Upload preset must be specified when using unsigned upload');
  } else if (preset === undefined) {
    problems.push('Upload preset not found');
  } else if (!preset.unsigned) {
    problems.push('Upload preset must be whitelisted for unsigned uploads');
  }
  if (problems.length > 0) throw new StoreError(400, problems.join(', '));
}

/** `access_mode` → `Access mode`. */
function humanise(name: string): string {
  const words = name.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
