import { type Request, type Response, Router } from 'express';
import type { ResourceType } from '../../asset/record.ts';
import type { Background } from '../background.ts';
import type { Library } from '../files/library.ts';
import type { StagedFile, Staging } from '../files/staging.ts';
import { isDeliveryType, isResourceType } from '../index/asset.ts';
import type { SettingsTable } from '../index/settings-table.ts';
import type { Settings } from '../options.ts';
import { StoreError } from '../store-error.ts';
import { authenticate } from './authentication.ts';
import { type ChunkRange, parseContentRange } from './chunks/content-range.ts';
import type { PartialUploads } from './chunks/partial-uploads.ts';
import type { Completion } from './completion.ts';
import { readSubmission } from './intake/intake.ts';
import type { Fields, Submission } from './intake/submission.ts';
import { textOf } from './parameter-values.ts';
import { readUploadParameters } from './parameters.ts';
import { type UploadPreset, withPreset } from './preset.ts';
import type { AssetResponses, Json } from './response.ts';
import { requireAllowedUnsigned } from './unsigned.ts';
import { randomHex, type Uploader, type UploadTask } from './uploader.ts';

export interface UploadRoutesParts {
  readonly uploader: Uploader;
  readonly completion: Completion;
  readonly background: Background;
  readonly partials: PartialUploads;
  readonly library: Library;
  readonly staging: Staging;
  readonly presets: SettingsTable<UploadPreset>;
  readonly responses: AssetResponses;
  readonly settings: Settings;
}

/** `POST /v1_1/{cloud}[/{resource_type}]/upload` and its relatives (contract §2.1). Mounted under `/v1_1/{cloud}`. */
export function uploadRoutes(parts: UploadRoutesParts): Router {
  const router = Router();
  const upload = async (request: Request, response: Response, resourceType: ResourceType | 'auto', type?: string) => {
    const submission = await readSubmission(request, parts.staging, {
      maxFileBytes: parts.settings.maxRequestBytes,
      isKnown: (fields) => isKnown(fields, request, parts.settings),
    });
    let isHandedOn = false;
    try {
      const fields = effectiveFields(submission.fields, type, request, parts);
      const task = { file: submission.file, resourceType, parameters: readUploadParameters(fields) };
      parts.uploader.requireMakeable(task.parameters);
      const chunk = chunkOf(request, task);
      if (chunk !== undefined) {
        response.json(await answerChunk(task, chunk, parts));
      } else if (task.parameters.async) {
        isHandedOn = true;
        response.json(answerLater(task, parts));
      } else {
        response.json(await answerUpload(task, parts));
      }
    } finally {
      if (!isHandedOn) await discardBytes(submission, parts.staging);
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

async function answerUpload(task: UploadTask, { uploader, completion, responses }: UploadRoutesParts): Promise<Json> {
  const existing = uploader.existing(task);
  if (existing !== undefined) return { ...responses.uploaded(existing), existing: true };
  return completion.complete(await uploader.upload(task), task.parameters);
}

/** With `async` the file is stored after the answer; the notification tells how it went. */
function answerLater(task: UploadTask, parts: UploadRoutesParts): Json {
  const batch = randomHex();
  parts.background.start(() =>
    answerUpload(task, parts).then(
      () => undefined,
      (error: unknown) => {
        if (!(error instanceof StoreError)) throw error;
        parts.completion.report(task.parameters, batch, error);
      },
    ),
  );
  return {
    status: 'pending',
    batch_id: batch,
    resource_type: task.resourceType,
    type: task.parameters.type,
    ...(task.parameters.publicId !== undefined && { public_id: task.parameters.publicId }),
  };
}

interface Chunk {
  readonly uploadId: string;
  readonly range: ChunkRange;
  readonly staged: StagedFile;
}

/** A request with these two headers and bytes is one part of a file (contract §3). */
function chunkOf(request: Request, { file }: UploadTask): Chunk | undefined {
  const uploadId = request.get('x-unique-upload-id');
  const range = request.get('content-range');
  if (range === undefined || file?.kind !== 'bytes') return undefined;
  if (uploadId === undefined) throw new StoreError(400, 'Missing required header - X-Unique-Upload-Id');
  return { uploadId, range: parseContentRange(range), staged: file.staged };
}

async function answerChunk(
  task: UploadTask,
  { uploadId, range, staged }: Chunk,
  { uploader, partials, completion, responses, library }: UploadRoutesParts,
): Promise<Json> {
  const { resourceType, parameters } = task;
  uploader.requireSize(resourceType, range.total ?? range.end);
  // Uploads of different kinds under one ID are different uploads.
  const key = JSON.stringify([uploadId, resourceType, parameters.type, parameters.publicId]);
  const filename = task.file?.kind === 'bytes' ? task.file.filename : '';
  const outcome = await partials.take(key, range, staged, (whole) =>
    uploader.upload({ ...task, file: { kind: 'bytes', staged: whole, filename } }),
  );
  switch (outcome.kind) {
    case 'waiting':
      return {
        done: false,
        bytes: outcome.bytes,
        kind: parameters.type,
        resource_type: resourceType,
        ...(parameters.publicId !== undefined && { public_id: parameters.publicId }),
      };
    case 'finished':
      return { ...(await completion.complete(outcome.outcome, parameters)), done: true };
    case 'finished-before': {
      const asset = library.index.get(outcome.identity);
      if (asset === undefined) throw new StoreError(404, `Resource not found - ${outcome.identity.publicId}`);
      return { ...responses.uploaded(asset), done: true };
    }
  }
}

/** Whether what has come of the parameters already shows who sends them, as the SDKs' requests do: the file comes last. */
function isKnown(fields: Fields, request: Request, settings: Settings): boolean {
  try {
    return authenticate(fields, request.headers.authorization, settings) === 'authenticated';
  } catch {
    return false;
  }
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
