import { type Request, type Response, Router } from 'express';
import type { ResourceType } from '../../asset/record.ts';
import type { Staging } from '../files/staging.ts';
import { isDeliveryType, isResourceType } from '../index/asset.ts';
import type { SettingsTable } from '../index/settings-table.ts';
import type { Settings } from '../options.ts';
import { StoreError } from '../store-error.ts';
import { authenticate } from './authentication.ts';
import { readSubmission } from './intake/intake.ts';
import type { Fields, Submission } from './intake/submission.ts';
import { textOf } from './parameter-values.ts';
import { readUploadParameters } from './parameters.ts';
import { type UploadPreset, withPreset } from './preset.ts';
import type { AssetResponses, Json } from './response.ts';
import { requireAllowedUnsigned } from './unsigned.ts';
import type { Uploader, UploadTask } from './uploader.ts';

export interface UploadRoutesParts {
  readonly uploader: Uploader;
  readonly staging: Staging;
  readonly presets: SettingsTable<UploadPreset>;
  readonly responses: AssetResponses;
  readonly settings: Settings;
}

/** `POST /v1_1/{cloud}[/{resource_type}]/upload` and its relatives (contract §2.1). Mounted under `/v1_1/{cloud}`. */
export function uploadRoutes(parts: UploadRoutesParts): Router {
  const router = Router();
  const upload = async (request: Request, response: Response, resourceType: ResourceType | 'auto', type?: string) => {
    const submission = await readSubmission(request, parts.staging, parts.settings.maxRequestBytes);
    try {
      const parameters = effectiveFields(submission.fields, type, request, parts);
      const task = { file: submission.file, resourceType, parameters: readUploadParameters(parameters) };
      response.json(await answer(task, parts));
    } finally {
      await discardBytes(submission, parts.staging);
    }
  };

  router.post(['/upload', '/upload_chunked'], (request, response) => upload(request, response, 'auto'));
  router.post('/:resourceType/:action', (request, response, next) => {
    const { resourceType, action } = request.params;
    if (resourceType !== 'auto' && !isResourceType(resourceType)) return next();
    if (action === 'upload' || action === 'upload_chunked') return upload(request, response, resourceType);
    if (isDeliveryType(action)) return upload(request, response, resourceType, action);
    return next();
  });
  return router;
}

async function answer(task: UploadTask, { uploader, responses }: UploadRoutesParts): Promise<Json> {
  const existing = uploader.existing(task);
  if (existing !== undefined) return { ...responses.uploaded(existing), existing: true };
  const { asset, kind } = await uploader.upload(task);
  return {
    ...responses.uploaded(asset),
    ...(kind === 'kept' && { existing: true }),
    ...(kind === 'overwritten' && { overwritten: true }),
  };
}

/**
 * Who asks, and with which parameters: those of the request, its path and its preset together. The signature covers
 * what was sent, so it is checked first.
 */
function effectiveFields(sent: Fields, type: string | undefined, request: Request, parts: UploadRoutesParts): Fields {
  const who = authenticate(sent, request.headers.authorization, parts.settings);
  const fields = type === undefined ? sent : new Map(sent).set('type', type);
  const name = textOf(fields, 'upload_preset');
  const preset = name === undefined ? undefined : parts.presets.get(name);
  if (who === 'unsigned') {
    requireAllowedUnsigned(fields, preset);
    return new Map(withPreset(fields, preset, true)).set('overwrite', '0');
  }
  if (name !== undefined && preset === undefined) throw new StoreError(400, 'Upload preset not found');
  return withPreset(fields, preset, false);
}

async function discardBytes(submission: Submission, staging: Staging): Promise<void> {
  if (submission.file?.kind === 'bytes') await staging.discard(submission.file.staged);
}
