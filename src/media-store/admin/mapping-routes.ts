import { Router } from 'express';
import type { UploadMapping } from '../auto-upload/upload-mapping.ts';
import type { Staging } from '../files/staging.ts';
import type { SettingsTable } from '../index/settings-table.ts';
import { StoreError } from '../store-error.ts';
import type { Fields } from '../upload/intake/submission.ts';
import { textOf } from '../upload/parameter-values.ts';
import { randomHex } from '../upload/uploader.ts';
import { adminFields, cursorOf, encodeCursor, pageSizeOf } from './admin-fields.ts';

/** `upload_mappings`: what auto-upload pulls from where (contract §8.1). Mounted under `/v1_1/{cloud}`. */
export function mappingRoutes(mappings: SettingsTable<UploadMapping>, staging: Staging): Router {
  const router = Router();

  router.get('/upload_mappings', async (request, response) => {
    const fields = await adminFields(request, staging);
    if (textOf(fields, 'folder') !== undefined) {
      response.json(find(fields));
      return;
    }
    const size = pageSizeOf(fields);
    const page = mappings.list(size + 1, cursorOf(fields));
    const shown = page.slice(0, size);
    const last = shown.at(-1);
    const next = page.length > size && last !== undefined ? { next_cursor: encodeCursor(last.folder) } : {};
    response.json({ mappings: shown, ...next });
  });

  router.post('/upload_mappings', async (request, response) => {
    const fields = await adminFields(request, staging);
    const folder = folderOf(fields);
    const mapping = { folder, template: templateOf(fields), external_id: randomHex() };
    if (!mappings.add(folder, mapping)) throw new StoreError(409, `Mapping for folder ${folder} already exists`);
    response.json({ message: 'created', folder, external_id: mapping.external_id });
  });

  router.put('/upload_mappings', async (request, response) => {
    const fields = await adminFields(request, staging);
    const mapping = find(fields);
    mappings.replace(mapping.folder, { ...mapping, template: templateOf(fields) });
    response.json({ message: 'updated', external_id: mapping.external_id });
  });

  router.delete('/upload_mappings', async (request, response) => {
    const mapping = find(await adminFields(request, staging));
    mappings.remove(mapping.folder);
    response.json({ message: 'deleted', external_id: mapping.external_id });
  });

  return router;

  function find(fields: Fields): UploadMapping {
    const folder = folderOf(fields);
    const mapping = mappings.get(folder);
    if (mapping === undefined) throw new StoreError(404, `Mapping for folder ${folder} was not found`);
    return mapping;
  }
}

function folderOf(fields: Fields): string {
  const folder = textOf(fields, 'folder');
  if (folder === undefined) throw new StoreError(400, 'Missing required parameter - folder');
  return folder.replace(/^\/+|(?<!\/)\/+$/g, '');
}

function templateOf(fields: Fields): string {
  const template = textOf(fields, 'template');
  if (template === undefined) throw new StoreError(400, 'Missing required parameter - template');
  // The rest of the path is put right behind it: without a slash there it could go on with the host's name.
  if (!/^https?:\/\/[^/?#\\]+\//i.test(template) || !URL.canParse(template)) {
    throw new StoreError(
      400,
      `Invalid value for parameter - template: ${template}: an http or https URL with a path is expected`,
    );
  }
  return template;
}
