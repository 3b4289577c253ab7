import { Router } from 'express';
import type { Staging } from '../files/staging.ts';
import type { SettingsTable } from '../index/settings-table.ts';
import { StoreError } from '../store-error.ts';
import type { Fields } from '../upload/intake/submission.ts';
import { flagOf, textOf } from '../upload/parameter-values.ts';
import { readUploadParameters } from '../upload/parameters.ts';
import type { UploadPreset } from '../upload/preset.ts';
import { randomPublicId } from '../upload/public-id.ts';
import { adminFields, cursorOf, encodeCursor, pageSizeOf } from './admin-fields.ts';

/** `upload_presets`: create, get, list, update, delete. Mounted under `/v1_1/{cloud}`. */
export function presetRoutes(presets: SettingsTable<UploadPreset>, staging: Staging): Router {
  const router = Router();

  router.get('/upload_presets', async (request, response) => {
    const fields = await adminFields(request, staging);
    const size = pageSizeOf(fields);
    const page = presets.list(size + 1, cursorOf(fields));
    const shown = page.slice(0, size);
    const last = shown.at(-1);
    const next = page.length > size && last !== undefined ? { next_cursor: encodeCursor(last.name) } : {};
    response.json({ presets: shown, ...next });
  });

  router.post('/upload_presets', async (request, response) => {
    const fields = await adminFields(request, staging);
    const name = textOf(fields, 'name') ?? randomPublicId(8);
    if (!/^[\w ./-]{1,255}$/.test(name)) throw new StoreError(400, `Invalid value for parameter - name: ${name}`);
    if (!presets.add(name, { name, unsigned: flagOf(fields, 'unsigned'), settings: settingsOf(fields) })) {
      throw new StoreError(409, `Upload preset ${name} already exists`);
    }
    response.json({ message: 'created', name });
  });

  router.get('/upload_presets/*name', (request, response) => {
    response.json(find(nameOf(request.params.name)));
  });

  router.put('/upload_presets/*name', async (request, response) => {
    const fields = await adminFields(request, staging);
    const { name, unsigned, settings } = find(nameOf(request.params.name));
    presets.replace(name, {
      name,
      unsigned: flagOf(fields, 'unsigned', unsigned),
      settings: { ...settings, ...settingsOf(fields) },
    });
    response.json({ message: 'updated' });
  });

  router.delete('/upload_presets/*name', (request, response) => {
    presets.remove(find(nameOf(request.params.name)).name);
    response.json({ message: 'deleted' });
  });

  return router;

  function find(name: string): UploadPreset {
    const preset = presets.get(name);
    if (preset === undefined) throw new StoreError(404, `Can't find upload preset with name ${name}`);
    return preset;
  }
}

function nameOf(parts: string | string[]): string {
  return typeof parts === 'string' ? parts : parts.join('/');
}

/** Not upload parameters, but the preset's own. */
const own = new Set(['name', 'unsigned', 'timestamp', 'api_key', 'signature', 'upload_preset', 'public_id']);

/** Upload parameters; what an upload could not use is refused when the preset is made. */
function settingsOf(fields: Fields): Record<string, string> {
  const settings = new Map([...fields].filter(([name]) => !own.has(name)));
  readUploadParameters(settings);
  return Object.fromEntries(
    [...settings].map(([name, value]) => [name, typeof value === 'string' ? value : value.join(',')]),
  );
}
